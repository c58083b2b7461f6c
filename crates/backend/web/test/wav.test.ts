import assert from "node:assert/strict";
import { test } from "node:test";
import { concatenate, encodeWav, loudness } from "../src/audio/wav.ts";

test("a WAV file says what it holds", () => {
  const wav = Buffer.from(encodeWav(new Float32Array([0, 1, -1, 2]), 16_000));
  assert.equal(wav.length, 44 + 8);
  assert.equal(wav.toString("latin1", 0, 4), "RIFF");
  assert.equal(wav.readUInt32LE(4), wav.length - 8);
  assert.equal(wav.toString("latin1", 8, 16), "WAVEfmt ");
  assert.equal(wav.readUInt16LE(22), 1);
  assert.equal(wav.readUInt32LE(24), 16_000);
  assert.equal(wav.readUInt32LE(40), 8);
  // Louder than loud is clipped, not wrapped around.
  assert.deepEqual([44, 46, 48, 50].map((offset) => wav.readInt16LE(offset)), [0, 32767, -32767, 32767]);
});

test("pieces are put together in order", () => {
  assert.deepEqual([...concatenate([new Float32Array([1, 2]), new Float32Array([]), new Float32Array([3])])], [1, 2, 3]);
});

test("the level meter goes from silence to full", () => {
  assert.equal(loudness(new Float32Array(8)), 0);
  assert.equal(loudness(new Float32Array(8).fill(1)), 1);
  const speech = loudness(new Float32Array(8).fill(0.05));
  assert.ok(speech > 0.3 && speech < 0.9);
});

// Records the microphone into a WAV file of 16 kHz mono, which every backend of voice messages understands.

import { concatenate, encodeWav, loudness } from "./wav.ts";

/** Filled in by the build: where the audio thread's script is. */
declare const CAPTURE_WORKLET_URL: string;

const VOICE_RATE = 16_000;

/** WeChat's limit for one voice message. */
export const LONGEST_MS = 60_000;

export interface Recording {
  /** Ends the recording and returns it. */
  finish(): Promise<Blob>;
  /** Ends the recording and forgets it. */
  cancel(): void;
}

/** Whether there is a microphone to ask for: browsers hide it from pages that came over plain HTTP. */
export function canRecord(): boolean {
  return navigator.mediaDevices !== undefined && typeof AudioWorkletNode === "function";
}

/** Fails if the person or the browser refuses the microphone. */
export async function startRecording(onLevel: (level: number) => void): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true },
  });
  const context = new AudioContext();
  const chunks: Float32Array[] = [];

  function stop(): void {
    for (const track of stream.getTracks()) track.stop();
    void context.close();
  }

  try {
    await context.audioWorklet.addModule(CAPTURE_WORKLET_URL);
    const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
    capture.port.onmessage = ({ data }: MessageEvent<Float32Array>) => {
      chunks.push(data);
      onLevel(loudness(data));
    };
    context.createMediaStreamSource(stream).connect(capture);
    await context.resume();
  } catch (error) {
    stop();
    throw error;
  }

  return {
    async finish() {
      stop();
      const samples = await resample(concatenate(chunks), context.sampleRate);
      return wavBlob(samples);
    },
    cancel: stop,
  };
}

/** Turns an audio file into a voice message's format; null if the browser can't read it. */
export async function convertToVoice(file: Blob): Promise<Blob | null> {
  const context = new OfflineAudioContext(1, 1, VOICE_RATE);
  try {
    // Decoding resamples to the context's rate.
    const audio = await context.decodeAudioData(await file.arrayBuffer());
    return wavBlob(mixDown(audio));
  } catch {
    return null;
  }
}

function wavBlob(samples: Float32Array): Blob {
  return new Blob([encodeWav(samples, VOICE_RATE)], { type: "audio/wav" });
}

function mixDown(audio: AudioBuffer): Float32Array {
  const mix = new Float32Array(audio.length);
  for (let channel = 0; channel < audio.numberOfChannels; channel += 1) {
    audio.getChannelData(channel).forEach((sample, i) => {
      mix[i] = (mix[i] ?? 0) + sample / audio.numberOfChannels;
    });
  }
  return mix;
}

async function resample(samples: Float32Array<ArrayBuffer>, from: number): Promise<Float32Array> {
  if (samples.length === 0 || from === VOICE_RATE) return samples;
  const length = Math.ceil((samples.length * VOICE_RATE) / from);
  const context = new OfflineAudioContext(1, length, VOICE_RATE);
  const buffer = context.createBuffer(1, samples.length, from);
  buffer.copyToChannel(samples, 0);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}

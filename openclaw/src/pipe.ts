// JSON-RPC 2.0, one message a line, in both directions on one pair of pipes.

import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

import { type ChannelCalls, Gone, type HostDesk, WireError } from "./contract.js";

type Waiting = { resolve: (result: unknown) => void; reject: (error: Error) => void };
type Line = {
  id?: number | string;
  method?: string;
  params?: unknown;
  result?: unknown;
  error?: { code: number; message: string; data?: { kind: string } };
};

const NO_METHOD = -32601;
const INTERNAL = -32603;

export class Pipe {
  #out: Writable;
  #desk: HostDesk;
  #asked = new Map<number, Waiting>();
  #nextId = 1;
  #gone: string | undefined;

  constructor(reader: Readable, writer: Writable, desk: HostDesk) {
    this.#out = writer;
    this.#desk = desk;
    // A write after the end is told by the end itself.
    writer.on("error", () => {});
    const lines = createInterface({ input: reader, crlfDelay: Infinity });
    lines.on("line", (line) => this.#read(line));
    lines.on("close", () => this.end("it has closed its end"));
  }

  /** Asks something. `started` hears the id under which it runs. */
  call<M extends keyof ChannelCalls>(
    method: M,
    params: ChannelCalls[M][0],
    started?: (id: number) => void,
    signal?: AbortSignal,
  ): Promise<ChannelCalls[M][1]> {
    if (this.#gone !== undefined) return Promise.reject(new Gone(this.#gone));
    const id = this.#nextId++;
    started?.(id);
    const cancel = () => {
      if (this.#asked.has(id)) this.#write({ method: "cancel", params: { id } });
    };
    signal?.addEventListener("abort", cancel, { once: true });
    return new Promise<unknown>((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#write({ id, method, params });
    }).finally(() => signal?.removeEventListener("abort", cancel)) as Promise<ChannelCalls[M][1]>;
  }

  /** Ends it: what is asked fails. The first reason stays. */
  end(reason: string): void {
    if (this.#gone !== undefined) return;
    this.#gone = reason;
    this.#out.end();
    for (const waiting of this.#asked.values()) waiting.reject(new Gone(reason));
    this.#asked.clear();
  }

  #write(message: object): void {
    if (this.#gone === undefined) this.#out.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }

  #read(text: string): void {
    let line: Line;
    try {
      line = JSON.parse(text) as Line;
    } catch {
      this.end(`what it writes is no JSON: ${text.slice(0, 120)}`);
      return;
    }
    if (line.method !== undefined) void this.#work(line.method, line);
    else if (typeof line.id === "number") this.#settle(line.id, line);
  }

  #settle(id: number, { result, error }: Line): void {
    const waiting = this.#asked.get(id);
    this.#asked.delete(id);
    if (error) waiting?.reject(new WireError(error.code, error.message, error.data));
    else waiting?.resolve(result);
  }

  async #work(method: string, { id, params }: Line): Promise<void> {
    const work = Object.hasOwn(this.#desk, method)
      ? (this.#desk[method as keyof HostDesk] as (params: unknown) => unknown)
      : undefined;
    try {
      if (method === "ping") return this.#answer(id, null);
      // Nothing here can be cut short: what was asked for is done or fails.
      if (method === "cancel") return;
      if (!work) throw new WireError(NO_METHOD, `there is no method ${method}`);
      this.#answer(id, (await work(params)) ?? null);
    } catch (error) {
      if (id === undefined) return;
      const { code, message, data } =
        error instanceof WireError ? error : new WireError(INTERNAL, String(error));
      this.#write({ id, error: { code, message, data } });
    }
  }

  #answer(id: Line["id"], result: unknown): void {
    if (id !== undefined) this.#write({ id, result });
  }
}

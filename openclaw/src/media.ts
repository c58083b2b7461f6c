// What came with a message, moved into the host's media store, and said in words
// where there is nothing to move.

import { createReadStream } from "node:fs";

import { saveMediaStream } from "openclaw/plugin-sdk/media-store";

import type { Attachment, Inbound } from "./contract.js";
import type { HostRuntime } from "./host.js";

type Context = Parameters<HostRuntime["inbound"]["buildContext"]>[0];
export type MediaFact = NonNullable<Context["media"]>[number];

/** The sidecar bounds what it fetches; this bounds a file that grew since. */
const MAX_BYTES = 1024 * 1024 * 1024;
const KINDS = { image: "image", voice: "audio", video: "video", file: "document" } as const;

/** Moves attachments into the host's store, in their order. */
export async function facts(attachments: Attachment[], messageId: string | undefined): Promise<MediaFact[]> {
  const saved = attachments.map(async (attachment): Promise<MediaFact> => {
    const { kind, name, mime, path, transcript } = attachment;
    const known: MediaFact = {
      kind: KINDS[kind],
      ...(name === "" ? {} : { fileName: name }),
      ...(mime === null ? {} : { contentType: mime }),
      ...(messageId === undefined ? {} : { messageId }),
      ...(transcript === null ? {} : { transcribed: true }),
    };
    if (path === null) return known;
    const stored = await saveMediaStream(createReadStream(path), mime ?? undefined, "inbound", MAX_BYTES, name || undefined);
    return { ...known, path: stored.path, ...(stored.contentType === undefined ? {} : { contentType: stored.contentType }) };
  });
  return await Promise.all(saved);
}

/** All that was said: the text, and the words of voice messages. */
export function words(inbound: Inbound): string {
  const heard = inbound.attachments.map(({ transcript }) => transcript).filter((text) => text !== null);
  return [inbound.text, ...heard].filter((text) => text !== "").join("\n");
}

/** What the agent should know of attachments that could not be fetched. */
export function problems(attachments: Attachment[]): string[] {
  return attachments.flatMap(({ kind, name, problem }) =>
    problem === null ? [] : [`[${kind}${name === "" ? "" : ` ${name}`}: ${problem}]`],
  );
}

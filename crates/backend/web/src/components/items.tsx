// How the parts of a message look.

import { playback, toggle } from "../audio/player.ts";
import { downloadUrl } from "../api.ts";
import type { Bubble } from "../bubbles.ts";
import { extension, humanSize, minutes, seconds } from "../format.ts";
import { t, type Key } from "../i18n.ts";
import { splitLinks } from "../links.ts";
import { previewOf } from "../previews.ts";
import { viewing } from "../ui.ts";
import type { FileItem, ImageItem, Item, TextItem, ToolItem, VideoItem, VoiceItem } from "../wire.ts";
import { Icon, type IconName } from "./icons.tsx";

interface Props {
  item: Item;
  bubble: Bubble;
  all: readonly Bubble[];
}

export function ItemView({ item, bubble, all }: Props) {
  switch (item.type) {
    case "text":
      return <TextView item={item} />;
    case "image":
      return <ImageView item={item} bubble={bubble} all={all} />;
    case "voice":
      return <VoiceView item={item} mine={bubble.from === "me"} />;
    case "file":
      return <FileView item={item} bubble={bubble} />;
    case "video":
      return <VideoView item={item} bubble={bubble} all={all} />;
    case "tool":
      return <ToolView item={item} />;
    // Also for what a newer backend may send.
    default:
      return (
        <span class="bubble bubble-unsupported" data-testid="bubble-unsupported">
          [{t("unsupported")}]
        </span>
      );
  }
}

function TextView({ item }: { item: TextItem }) {
  if (item.html !== null) {
    return (
      <div
        class="bubble md"
        data-testid="bubble-text"
        onClick={openElsewhere}
        dangerouslySetInnerHTML={{ __html: item.html }}
      />
    );
  }
  return (
    <div class="bubble plain" data-testid="bubble-text">
      {splitLinks(item.text).map(({ text, link }) =>
        link ? (
          <a href={text} target="_blank" rel="noopener noreferrer">
            {text}
          </a>
        ) : (
          text
        ),
      )}
    </div>
  );
}

/** A link in a bot's text must not take the chat away. */
function openElsewhere(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (link === null) return;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
}

/** The longer side of a picture in the chat, and the least that can be tapped. */
const PICTURE = { width: 240, height: 300, least: 72 };

/** The room for a picture before it has come, so that nothing jumps when it does. */
function roomFor(width: number | null, height: number | null): Record<string, string> {
  if (!width || !height) return {};
  const scale = Math.min(1, PICTURE.width / width, PICTURE.height / height);
  return {
    width: `${Math.max(PICTURE.least, Math.round(width * scale))}px`,
    "aspect-ratio": `${width} / ${height}`,
  };
}

function view(item: ImageItem | VideoItem, all: readonly Bubble[]): void {
  const media = all.flatMap((bubble) => bubble.items.filter((one) => one.type === "image" || one.type === "video"));
  viewing.value = { media, index: Math.max(0, media.indexOf(item)) };
}

function ImageView({ item, bubble, all }: { item: ImageItem; bubble: Bubble; all: readonly Bubble[] }) {
  const source = previewOf(bubble.localId) ?? item.thumb_url ?? item.url;
  return (
    <button
      type="button"
      class="picture"
      data-testid="bubble-image"
      aria-label={t("openImage")}
      onClick={() => view(item, all)}
    >
      <img src={source} alt={t("image")} loading="lazy" draggable={false} style={roomFor(item.width, item.height)} />
      <Progress of={bubble} />
    </button>
  );
}

function VideoView({ item, bubble, all }: { item: VideoItem; bubble: Bubble; all: readonly Bubble[] }) {
  const room = roomFor(item.width, item.height);
  return (
    <button
      type="button"
      class="picture picture-video"
      data-testid="bubble-video"
      aria-label={t("playVideo")}
      onClick={() => view(item, all)}
    >
      {item.thumb_url === null ? (
        // The fragment makes browsers that show nothing before playing show a first picture.
        <video src={`${previewOf(bubble.localId) ?? item.url}#t=0.05`} preload="metadata" muted playsInline style={room} />
      ) : (
        <img src={item.thumb_url} alt={t("video")} loading="lazy" draggable={false} style={room} />
      )}
      <span class="picture-play">
        <Icon name="play" filled />
      </span>
      {item.duration_ms !== null && <span class="picture-length">{minutes(item.duration_ms)}</span>}
      <Progress of={bubble} />
    </button>
  );
}

/** How far an upload is, over its bubble. */
function Progress({ of: { tick, progress } }: { of: Bubble }) {
  if (tick !== "pending" || progress === null) return null;
  const percent = Math.round(progress * 100);
  return (
    <span class="progress" role="progressbar" aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
      <span class="progress-bar" style={{ width: `${percent}%` }} />
    </span>
  );
}

/** A voice bubble grows with its length, up to a minute. */
function voiceWidth(ms: number): string {
  return `${Math.round(5.5 + 8 * Math.sqrt(Math.min(ms, 60_000) / 60_000))}rem`;
}

function VoiceView({ item, mine }: { item: VoiceItem; mine: boolean }) {
  const current = playback.value?.url === item.url ? playback.value : null;
  const playing = current?.state === "playing";
  return (
    <div class="voice">
      <button
        type="button"
        class={`bubble voice-bubble${playing ? " voice-playing" : ""}`}
        data-testid="bubble-voice"
        aria-label={`${t(playing ? "pause" : "play")}: ${t("voice")} ${seconds(item.duration_ms)}`}
        style={{ width: voiceWidth(item.duration_ms), "--done": String(current?.progress ?? 0) }}
        onClick={() => toggle(item.url)}
      >
        <Icon name={playing ? "pause" : "play"} filled={!playing} />
        <span class="voice-wave" />
        {item.duration_ms > 0 && <span class="voice-length">{seconds(item.duration_ms)}</span>}
      </button>
      {current?.state === "broken" && (
        <p class="failure">
          {t("cannotPlay")}
          <a href={downloadUrl(item.url)} download>
            {t("download")}
          </a>
        </p>
      )}
      {item.text !== null && item.text !== "" && <p class={mine ? "voice-text voice-text-me" : "voice-text"}>{item.text}</p>}
    </div>
  );
}

function FileView({ item, bubble }: { item: FileItem; bubble: Bubble }) {
  // While it is on its way, the file is not yet anywhere to be fetched from.
  const href = bubble.id === null ? {} : { href: downloadUrl(item.url), download: item.name };
  return (
    <a class="bubble file" data-testid="bubble-file" title={item.name} {...href}>
      <span class="file-icon" aria-hidden="true">
        {extension(item.name)}
      </span>
      <span class="file-main">
        <span class="file-name">{item.name}</span>
        <span class="file-size">{humanSize(item.size)}</span>
      </span>
      {bubble.id !== null && <Icon name="download" />}
      <Progress of={bubble} />
    </a>
  );
}

const TOOL_STATES: Record<ToolItem["status"], { icon: IconName | null; label: Key }> = {
  running: { icon: null, label: "toolRunning" },
  completed: { icon: "check", label: "toolCompleted" },
  failed: { icon: "close", label: "toolFailed" },
  blocked: { icon: "blocked", label: "toolBlocked" },
  unknown: { icon: "more", label: "toolUnknown" },
};

function ToolView({ item }: { item: ToolItem }) {
  const { icon, label } = TOOL_STATES[item.status];
  return (
    <span class={`tool tool-${item.status}`} data-testid="bubble-tool" data-status={item.status}>
      {icon === null ? <span class="spinner" /> : <Icon name={icon} />}
      <code>{item.tool}</code>
      <span class="tool-state">{t(label)}</span>
    </span>
  );
}

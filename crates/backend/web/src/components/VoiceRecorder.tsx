import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { canRecord, convertToVoice, LONGEST_MS, startRecording, type Recording } from "../audio/recorder.ts";
import { sendVoice } from "../compose.ts";
import { minutes } from "../format.ts";
import { t } from "../i18n.ts";
import { showToast } from "../toast.ts";
import { Icon } from "./icons.tsx";

/** A shorter press is a tap: the recording then goes on until "send" or "cancel". */
const HOLD_MS = 350;
const CANCEL_PX = 70;
const BARS = 36;
const TICK_MS = 100;

/** "held" while the button is pressed, "free" when it goes on by itself. */
type Phase = "idle" | "starting" | "held" | "free" | "unavailable";

export function VoiceRecorder({ bot }: { bot: string }) {
  const phase = useSignal<Phase>(canRecord() ? "idle" : "unavailable");
  const levels = useSignal<readonly number[]>([]);
  const elapsed = useSignal(0);
  const leaving = useSignal(false);
  const recording = useRef<Recording | null>(null);
  const pressed = useRef<{ at: number; y: number } | null>(null);
  const gone = useRef(false);

  useEffect(
    () => () => {
      gone.current = true;
      recording.current?.cancel();
    },
    [],
  );

  const running = phase.value === "held" || phase.value === "free";
  useEffect(() => {
    if (!running) return undefined;
    const since = Date.now();
    const timer = window.setInterval(() => {
      elapsed.value = Date.now() - since;
      if (elapsed.value >= LONGEST_MS) void finish();
    }, TICK_MS);
    return () => window.clearInterval(timer);
  }, [running]);

  async function begin(): Promise<void> {
    phase.value = "starting";
    levels.value = [];
    elapsed.value = 0;
    leaving.value = false;
    try {
      const started = await startRecording((level) => (levels.value = [...levels.value, level].slice(-BARS)));
      if (gone.current) return started.cancel();
      recording.current = started;
      // The browser's question for the microphone may have taken the finger off the button.
      phase.value = pressed.current === null ? "free" : "held";
    } catch {
      phase.value = "unavailable";
    }
  }

  async function finish(): Promise<void> {
    const done = recording.current;
    recording.current = null;
    phase.value = "idle";
    if (done !== null) sendVoice(bot, await done.finish(), "voice.wav");
  }

  function cancel(): void {
    recording.current?.cancel();
    recording.current = null;
    phase.value = "idle";
  }

  function onPointerDown(event: PointerEvent & { currentTarget: HTMLElement }): void {
    if (phase.value !== "idle" || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    pressed.current = { at: Date.now(), y: event.clientY };
    void begin();
  }

  function onPointerMove(event: PointerEvent): void {
    if (pressed.current !== null) leaving.value = pressed.current.y - event.clientY > CANCEL_PX;
  }

  function onPointerUp(): void {
    const press = pressed.current;
    pressed.current = null;
    if (press === null || phase.value !== "held") return;
    if (leaving.value) cancel();
    else if (Date.now() - press.at < HOLD_MS) phase.value = "free";
    else void finish();
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== "Escape" || !running) return;
    event.preventDefault();
    cancel();
  }

  if (phase.value === "unavailable") return <VoiceUpload bot={bot} />;

  return (
    <div class="recorder" onKeyDown={onKeyDown} data-testid="voice-recorder" data-phase={phase.value}>
      {running && (
        <div class={leaving.value ? "recorder-live recorder-leaving" : "recorder-live"}>
          <span class="recorder-time" role="timer">
            {minutes(elapsed.value)}
          </span>
          <span class="meter" role="img" aria-label={t("recording")}>
            {levels.value.map((level, index) => (
              <i key={index} style={{ height: `${Math.round(10 + level * 90)}%` }} />
            ))}
          </span>
        </div>
      )}
      {phase.value === "free" ? (
        <div class="recorder-actions">
          <button type="button" class="button" data-testid="voice-cancel" onClick={cancel}>
            {t("cancel")}
          </button>
          <button type="button" class="button button-main" data-testid="voice-send" onClick={() => void finish()}>
            <Icon name="send" />
            {t("send")}
          </button>
        </div>
      ) : (
        <button
          type="button"
          class="hold"
          data-testid="voice-hold"
          data-active={phase.value === "held"}
          onPointerDown={onPointerDown}
          onPointerMove={onPointerMove}
          onPointerUp={onPointerUp}
          onPointerCancel={cancel}
          onContextMenu={(event) => event.preventDefault()}
          onClick={(event) => {
            // A click without a pointer comes from the keyboard.
            if (event.detail === 0 && phase.value === "idle") void begin();
          }}
        >
          <Icon name="mic" />
          {t(phase.value !== "held" ? "holdToTalk" : leaving.value ? "releaseToCancel" : "releaseToSend")}
        </button>
      )}
    </div>
  );
}

/** Where no microphone can be had. */
function VoiceUpload({ bot }: { bot: string }) {
  async function send(file: File): Promise<void> {
    const converted = await convertToVoice(file);
    if (converted === null) showToast(t("cannotPlay"));
    else sendVoice(bot, converted, file.name.replace(/\.[^.]*$/, "") + ".wav");
  }

  return (
    <div class="recorder">
      <p class="hint">{t("voiceUnavailable")}</p>
      <label class="button">
        {t("chooseAudio")}
        <input
          type="file"
          class="hidden-input"
          accept="audio/*"
          data-testid="voice-file-input"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            if (file !== undefined) void send(file);
            event.currentTarget.value = "";
          }}
        />
      </label>
    </div>
  );
}

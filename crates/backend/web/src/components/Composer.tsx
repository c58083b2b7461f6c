import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { attach, attachments, detach, quotings, sendAsFiles, sendFiles, setQuoting, submit } from "../compose.ts";
import { drafts, saveDraft } from "../drafts.ts";
import { t, type Key } from "../i18n.ts";
import { EmojiPicker } from "./EmojiPicker.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { QuoteLine } from "./QuoteBox.tsx";
import { Thumbnail } from "./Thumbnail.tsx";
import { VoiceRecorder } from "./VoiceRecorder.tsx";

const TALLEST_PX = 180;

export function Composer({ bot, name }: { bot: string; name: string }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const panel = useSignal<"none" | "emoji" | "voice">("none");
  const text = drafts.value.get(bot) ?? "";
  const files = attachments.value.get(bot) ?? [];
  const quoting = quotings.value.get(bot);
  const ready = text.trim() !== "" || files.length > 0;

  useLayoutEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, TALLEST_PX)}px`;
  }, [text, panel.value]);

  useEffect(() => {
    // On a touch screen the focus would open the keyboard over what one came to read.
    if (matchMedia("(hover: hover)").matches) field.current?.focus();
  }, [bot]);

  useEffect(() => {
    if (quoting !== undefined) field.current?.focus();
  }, [quoting]);

  function send(): void {
    if (ready) submit(bot);
  }

  function insert(emoji: string): void {
    const area = field.current;
    const start = area?.selectionStart ?? text.length;
    const end = area?.selectionEnd ?? text.length;
    saveDraft(bot, text.slice(0, start) + emoji + text.slice(end));
    // Once the new text is in the field, the cursor goes behind the emoji.
    requestAnimationFrame(() => area?.setSelectionRange(start + emoji.length, start + emoji.length));
  }

  function onKeyDown(event: KeyboardEvent): void {
    // While an input method composes, Enter belongs to it (229 is Safari's way to say so).
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    send();
  }

  function onPaste(event: ClipboardEvent): void {
    const pasted = [...(event.clipboardData?.files ?? [])];
    // Spreadsheets and word processors put a picture beside the text; the text is what is meant.
    if (pasted.length === 0 || event.clipboardData?.types.includes("text/plain") === true) return;
    event.preventDefault();
    attach(bot, pasted);
  }

  const toggle = (wanted: "emoji" | "voice") => (panel.value = panel.value === wanted ? "none" : wanted);

  return (
    <footer class="composer">
      {quoting !== undefined && (
        <div class="quote-preview" data-testid="quote-preview">
          <QuoteLine quote={quoting.quote} name={name} />
          <button type="button" class="icon-button" aria-label={t("dropQuote")} onClick={() => setQuoting(bot, null)}>
            <Icon name="close" />
          </button>
        </div>
      )}
      {files.length > 0 && (
        <ul class="attachments" aria-label={t("attachments")}>
          {files.map((file) => (
            <li key={`${file.name}-${file.lastModified}-${file.size}`}>
              <Thumbnail file={file} />
              <button
                type="button"
                class="icon-button"
                aria-label={t("remove", { name: file.name })}
                onClick={() => detach(bot, file)}
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      {panel.value === "voice" ? (
        <VoiceRecorder bot={bot} />
      ) : (
        <textarea
          ref={field}
          class="composer-field"
          data-testid="composer"
          rows={1}
          aria-label={t("message", { name })}
          placeholder={t("message", { name })}
          enterkeyhint="send"
          value={text}
          onInput={(event) => saveDraft(bot, event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
      )}
      <div class="tools">
        <ToolButton
          icon={panel.value === "voice" ? "keyboard" : "mic"}
          label={panel.value === "voice" ? "keyboard" : "recordVoice"}
          testId="voice-open"
          onClick={() => toggle("voice")}
        />
        <ToolButton
          icon="smile"
          label="emoji"
          testId="emoji-open"
          pressed={panel.value === "emoji"}
          onClick={() => toggle("emoji")}
        />
        <FileButton
          icon="image"
          label="sendImage"
          testId="attach-image"
          accept="image/*,video/*"
          onFiles={(chosen) => sendFiles(bot, chosen)}
        />
        <FileButton icon="clip" label="sendFile" testId="attach-file" onFiles={(chosen) => sendAsFiles(bot, chosen)} />
        <button
          type="button"
          class="send"
          data-testid="send"
          aria-label={t("send")}
          title={t("send")}
          disabled={!ready}
          onMouseDown={keepFocus}
          onClick={send}
        >
          <Icon name="send" />
        </button>
      </div>
      {panel.value === "emoji" && (
        <EmojiPicker
          onPick={insert}
          onClose={() => {
            panel.value = "none";
            field.current?.focus();
          }}
        />
      )}
    </footer>
  );
}

/** A tap on a button must not take the focus, and with it a phone's keyboard, away from the text. */
function keepFocus(event: MouseEvent): void {
  event.preventDefault();
}

interface ToolButtonProps {
  icon: IconName;
  label: Key;
  testId: string;
  pressed?: boolean;
  onClick: () => void;
}

function ToolButton({ icon, label, testId, pressed, onClick }: ToolButtonProps) {
  return (
    <button
      type="button"
      class="icon-button"
      data-testid={testId}
      aria-label={t(label)}
      aria-pressed={pressed}
      title={t(label)}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}

interface FileButtonProps {
  icon: IconName;
  label: Key;
  testId: string;
  accept?: string;
  onFiles: (files: File[]) => void;
}

function FileButton({ icon, label, testId, accept, onFiles }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <ToolButton icon={icon} label={label} testId={testId} onClick={() => input.current?.click()} />
      <input
        ref={input}
        type="file"
        class="hidden-input"
        data-testid={`${testId}-input`}
        aria-label={t(label)}
        tabIndex={-1}
        multiple
        accept={accept}
        onChange={(event) => {
          onFiles([...(event.currentTarget.files ?? [])]);
          // The same file may be chosen again.
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

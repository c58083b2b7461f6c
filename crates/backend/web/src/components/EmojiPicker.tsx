import { t } from "../i18n.ts";

const EMOJI =
  "😀 😄 😁 😂 🤣 😊 😇 🙂 😉 😍 🥰 😘 😋 😜 🤪 🤗 🤭 🤫 🤔 😏 🙄 😬 😌 😴 😷 🤒 🥵 🥶 🤯 🥳 😎 🤓 😕 😟 😮 😳 🥺 😢 😭 😱 😤 😡 " +
  "👍 👎 👌 ✌️ 🤞 🤝 👏 🙌 🙏 💪 👀 🧠 ❤️ 💔 💯 ✨ 🔥 🎉 🎁 🌹 🌸 🌙 ☀️ 🌈 ☕ 🍵 🍉 🍜 🐱 🐶 🐼 🪿 🚀 ⏰ 💡 📌 ✅ ❌ ❓ ❗";

interface Props {
  onPick: (emoji: string) => void;
  onClose: () => void;
}

export function EmojiPicker({ onPick, onClose }: Props) {
  return (
    <div
      class="emoji"
      role="group"
      aria-label={t("emoji")}
      data-testid="emoji-picker"
      // The focus, and with it the cursor, stays in the text.
      onMouseDown={(event) => event.preventDefault()}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        onClose();
      }}
    >
      {EMOJI.split(" ").map((emoji) => (
        <button key={emoji} type="button" onClick={() => onPick(emoji)}>
          {emoji}
        </button>
      ))}
    </div>
  );
}

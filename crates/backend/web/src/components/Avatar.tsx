import { hueOf, initialOf } from "../avatar.ts";

/** A coloured tile with the first letter of a name. */
export function Avatar({ id, name, online }: { id: string; name: string; online?: boolean }) {
  return (
    <span class="avatar" style={{ "--hue": String(hueOf(id)) }} aria-hidden="true">
      {initialOf(name)}
      {online !== undefined && <span class={online ? "dot dot-on" : "dot"} />}
    </span>
  );
}

import { useEffect, useMemo } from "preact/hooks";
import { extension } from "../format.ts";
import { kindOf } from "../probe.ts";

/** A file that waits to be sent. */
export function Thumbnail({ file }: { file: File }) {
  const url = useMemo(() => (kindOf(file) === "image" ? URL.createObjectURL(file) : null), [file]);
  useEffect(() => () => void (url !== null && URL.revokeObjectURL(url)), [url]);
  return url === null ? (
    <span class="thumbnail" title={file.name}>
      <b>{extension(file.name)}</b>
      {file.name}
    </span>
  ) : (
    <img class="thumbnail" src={url} alt={file.name} title={file.name} />
  );
}

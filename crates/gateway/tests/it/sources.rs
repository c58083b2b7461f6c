//! What the sources must not say.

use std::path::Path;

#[test]
fn the_sources_name_no_channel() {
    let mut files = 0;
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    assert!(files > 20, "only {files} files were looked at");
}

fn check(folder: &Path, files: &mut u32) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            check(&path, files);
            continue;
        }
        *files += 1;
        let text = std::fs::read_to_string(&path).unwrap().to_lowercase();
        for word in ["wechat", "weixin", "ilink", "微信"] {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}

//! What the guide says.

use std::time::Duration;

use contract::{Attachment, Inbound, MediaKind, Quote};

use crate::language::Language;

pub(super) fn help(language: Language) -> &'static str {
    language.pick(include_str!("help.zh.md"), include_str!("help.en.md"))
}

pub(super) fn long(language: Language) -> &'static str {
    language.pick(include_str!("long.zh.md"), include_str!("long.en.md"))
}

pub(super) fn markdown(language: Language) -> &'static str {
    language.pick(include_str!("markdown.zh.md"), include_str!("markdown.en.md"))
}

pub(super) fn file(language: Language) -> &'static str {
    language.pick(include_str!("file.zh.md"), include_str!("file.en.md"))
}

pub(super) fn picture(language: Language) -> &'static str {
    language.pick(
        "一行大雁。这张图是刚刚用代码画的，每次都不一样。",
        "Geese on their way. Drawn in code just now, and different each time.",
    )
}

pub(super) fn slow(took: Duration, heard: &[String], language: Language) -> String {
    let secs = took.as_secs();
    let mut words = match language {
        Language::Chinese => format!("好了。我慢慢想了 {secs} 秒，这期间别人不用等。"),
        Language::English => {
            format!("Done. I took {secs} seconds, and nobody else had to wait meanwhile.")
        }
    };
    if !heard.is_empty() {
        words.push_str(
            language.pick(
                "\n\n你中途说的我也听到了：\n\n",
                "\n\nI heard what you said in between:\n\n",
            ),
        );
        words.push_str(&quote_block(&heard.join("\n")));
    }
    words
}

pub(super) fn question(language: Language) -> &'static str {
    language.pick("要让这行大雁飞走吗？", "May I let the geese fly?")
}

pub(super) fn flight(is_allowed: bool, language: Language) -> &'static str {
    if is_allowed {
        language.pick("它们飞走了。", "Off they go.")
    } else {
        language.pick("好，它们留下。", "Then they stay.")
    }
}

pub(super) fn tools(language: Language) -> &'static str {
    language.pick(
        "三步都走完了：\n\n1. 看天：**完成**\n2. 问气象站：**失败**，没人接\n3. 查黄历：**完成**\n\n结论：今天适合出门。",
        "All three steps are through:\n\n1. look at the sky: **done**\n2. ask the weather station: **failed**, nobody picked up\n3. read the almanac: **done**\n\nVerdict: a good day to go out.",
    )
}

pub(super) fn quoted(quote: Option<&Quote>, language: Language) -> String {
    let Some(quote) = quote else {
        return language
            .pick(
                "长按一条消息，选“引用”，再写点什么发给我。",
                "Hold a message, choose “Quote”, write something and send it to me.",
            )
            .to_owned();
    };
    let text = quote_block(&quote.text);
    let known = quote.message_id.is_some();
    match (language, known) {
        (Language::Chinese, true) => format!("你引用的是这一条：\n\n{text}"),
        (Language::Chinese, false) => format!("你引用了这段话（我认不出是哪一条）：\n\n{text}"),
        (Language::English, true) => format!("You quoted this message:\n\n{text}"),
        (Language::English, false) => {
            format!("You quoted these words (I cannot tell from which message):\n\n{text}")
        }
    }
}

/// Gives back what came.
pub(super) fn echo(inbound: &Inbound, language: Language) -> String {
    let mut said = inbound.text.trim().to_owned();
    if inbound.attachments.is_empty() {
        if said.is_empty() {
            return language.pick("（空消息）", "(an empty message)").to_owned();
        }
        return said;
    }
    if !said.is_empty() {
        said.push_str("\n\n");
    }
    said.push_str(language.pick("我收到了：\n", "I got:\n"));
    for attachment in &inbound.attachments {
        said.push_str("\n- ");
        said.push_str(&one(attachment, language));
    }
    said
}

fn one(attachment: &Attachment, language: Language) -> String {
    let kind = match attachment.kind {
        MediaKind::Image => language.pick("图片", "a picture"),
        MediaKind::Voice => language.pick("语音", "a voice message"),
        MediaKind::Video => language.pick("视频", "a video"),
        MediaKind::File => language.pick("文件", "a file"),
    };
    let mut line = format!("{kind} `{}`", attachment.name.replace('`', "'"));
    if let Some(said) = &attachment.transcript {
        line.push_str(language.pick("，里面说：", ", saying: "));
        line.push_str(said);
    }
    if attachment.path.is_none() {
        line.push_str(language.pick("（没能取到内容）", " (its bytes could not be fetched)"));
    }
    line
}

fn quote_block(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("> {line}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_text_is_long_and_structured() {
        for text in [long(Language::Chinese), long(Language::English)] {
            let n_chars = text.chars().count();
            assert!((4_500..8_000).contains(&n_chars), "{n_chars}");
            for mark in ["\n## ", "\n| ", "\n```"] {
                assert!(text.contains(mark), "{mark:?}");
            }
        }
    }
}

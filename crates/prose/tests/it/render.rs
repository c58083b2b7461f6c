//! What becomes of the marks, and that no word is lost.

use proptest::prelude::*;
use prose::{Markup, Picture, Pictures, Rendered, Style, render};

use crate::texts::{cut_text, letters, text};
use crate::vectors::{cases, streamed};

const CAREFUL: Style = Style { markup: Markup::Careful, pictures: Pictures::Lift };
const MARKDOWN: Style = Style { markup: Markup::Markdown, pictures: Pictures::Lift };
const PLAIN: Style = Style { markup: Markup::Plain, pictures: Pictures::Lift };

fn styles() -> impl Strategy<Value = Style> {
    let markup = proptest::sample::select(&[Markup::Markdown, Markup::Careful, Markup::Plain]);
    let pictures = proptest::sample::select(&[Pictures::Lift, Pictures::Inline]);
    (markup, pictures).prop_map(|(markup, pictures)| Style { markup, pictures })
}

proptest! {
    #[test]
    fn a_stream_gives_what_the_whole_gives((text, cuts) in cut_text(60), style in styles()) {
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&text[from..cut]);
            from = cut;
        }
        pieces.push(&text[from..]);
        prop_assert_eq!(streamed(style, pieces), render(&text, style));
    }

    #[test]
    fn a_stream_of_characters_gives_what_the_whole_gives(text in text(40), style in styles()) {
        let pieces = text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]);
        prop_assert_eq!(streamed(style, pieces), render(&text, style));
    }

    #[test]
    fn every_word_stays_in_its_place(text in text(60), style in styles()) {
        let inline = Style { pictures: Pictures::Inline, ..style };
        let shown = render(&text, inline);
        prop_assert_eq!(letters(&shown.text), letters(&text));
        prop_assert_eq!(shown.pictures, []);
    }

    /// Demand 46: no word gets lost.
    #[test]
    fn every_word_is_in_the_text_or_in_a_picture(text in text(60), style in styles()) {
        let lift = Style { pictures: Pictures::Lift, ..style };
        let shown = render(&text, lift);
        let mut left: Vec<_> = letters(&text).chars().collect();
        let mut found = letters(&shown.text);
        for Picture { alt, url, title } in &shown.pictures {
            found += &letters(&(alt.clone() + url + title));
        }
        // A picture in a link is said twice.
        for letter in found.chars() {
            if let Some(at) = left.iter().position(|&c| c == letter) {
                left.swap_remove(at);
            }
        }
        prop_assert_eq!(left, []);
    }
}

#[track_caller]
fn check(style: Style, markdown: &str, want: &str) {
    assert_eq!(render(markdown, style).text, want, "{markdown:?}");
}

#[test]
fn what_wechat_shows_stays() {
    for text in [
        "# 一\n#### 四\n**粗** `码` *it* _it_ ***bi***\n\n---\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        "- [ ] 做\n1. one\n> quote\n",
        "```rust\nlet *强* = _调_;\n##### no heading\n```\n",
    ] {
        check(CAREFUL, text, text);
    }
}

#[test]
fn what_wechat_does_not_show_comes_off() {
    check(CAREFUL, "*强调*，_下划_，***粗斜***", "强调，下划，粗斜");
    check(CAREFUL, "##### 五\n> ###### six\n####### seven", "五\n> six\n####### seven");
    check(CAREFUL, "*a **b** 中*", "a **b** 中");
}

#[test]
fn code_names_and_addresses_are_not_touched() {
    for text in [
        "用 `_私有_` 和 `*指针*`",
        "调用 get_user 和 set_user",
        "2*3，等于 3*2",
        "见 https://e.x/_a_ 和 [页](https://e.x/_c_)",
        "1. 做：\n   ```sh\n   echo *强*\n   ```\n",
        "> ~~~\n> *强*\n> ~~~\n",
        "\\*强调\\*",
        "姓名：___ 年龄：___",
        "a *** 中 ***",
    ] {
        check(CAREFUL, text, text);
    }
    check(CAREFUL, "a ``` *强*\n`*调*", "a ``` 强\n`调");
}

#[test]
fn emphasis_does_not_outlive_its_line() {
    check(CAREFUL, "***开\n*强调*", "***开\n强调");
    check(MARKDOWN, "a***开\n*强调****", "a开\n*强调*");
}

#[test]
fn what_the_official_filter_does_to_names_is_known() {
    let differ = cases().iter().filter(|it| render(&it.input, CAREFUL).text != it.output).count();
    assert_eq!(differ, 55, "of the 417; each one for a reason named here or above");
    check(MARKDOWN, "调用 get_user 和 set_user", "调用 getuser 和 setuser");
    check(MARKDOWN, "用 `_私有_`", "用 `私有`");
}

fn picture(alt: &str, url: &str) -> Picture {
    Picture { alt: alt.into(), url: url.into(), title: String::new() }
}

#[test]
fn pictures_are_lifted_and_leave_no_hole() {
    let check = |markdown: &str, text: &str, pictures: &[Picture]| {
        for style in [CAREFUL, PLAIN] {
            let rendered = render(markdown, style);
            assert_eq!(rendered.pictures, pictures, "{markdown:?}");
        }
        let rendered = render(markdown, CAREFUL);
        assert_eq!(rendered, Rendered { text: text.into(), pictures: pictures.into() });
    };
    check("前 ![图](a.png) 后", "前  后", &[picture("图", "a.png")]);
    check("一\n\n![图](a.png)\n\n  二", "一\n\n  二", &[picture("图", "a.png")]);
    check("一\n![](a) ![](b)\n二", "一\n二", &[picture("", "a"), picture("", "b")]);
    check("![x](/tmp/my pic.png)\n\n好", "好", &[picture("x", "/tmp/my pic.png")]);
    check("[![标](b.svg)](http://e.x)", "[标](http://e.x)", &[picture("标", "b.svg")]);
    check("*看![图](a)*", "看", &[picture("图", "a")]);
    check("`![a](b)`", "`![a](b)`", &[]);
    check("```\n![a](b)\n```", "```\n![a](b)\n```", &[]);
}

#[test]
fn pictures_can_stay_in_words() {
    let style = Style { pictures: Pictures::Inline, ..CAREFUL };
    check(style, "前 ![图](a.png \"题\") 后 ![](b)", "前 图 (a.png 题) 后 b");
}

#[test]
fn a_picture_that_holds_its_bytes_streams() {
    let url = format!("data:image/png;base64,{}", "QUJD".repeat(100_000));
    let markdown = format!("看：\n![图]({url})\n好");
    let bytes = markdown.as_bytes();
    let pieces: Vec<_> = bytes.chunks(999).map(String::from_utf8_lossy).collect();
    assert_eq!(pieces.concat().len(), markdown.len(), "no character was cut");
    let rendered = streamed(CAREFUL, pieces.iter().map(AsRef::as_ref));
    let want = Rendered { text: "看：\n好".into(), pictures: vec![picture("图", &url)] };
    assert!(
        rendered == want && render(&markdown, CAREFUL) == want && render(&markdown, PLAIN) == want
    );
}

#[test]
fn plain_text_has_no_marks() {
    check(PLAIN, "# 标题 #\n\n**粗** *斜* _it_ ~~删~~ `码`\n", "标题\n\n粗 斜 it 删 码\n");
    check(PLAIN, "a_b 2*3*4 ~5 <b> C#\n", "a_b 2*3*4 ~5 <b> C#\n");
    check(PLAIN, "- 一\n  * 二\n1. 三\n> 引\n---\n", "• 一\n  • 二\n1. 三\n│ 引\n———\n");
    check(PLAIN, "标题\n===\n文", "标题\n文");
    check(
        PLAIN,
        "[**页** 1](http://e.x/_a_ \"题\") <http://b> \\*c\\*",
        "页 1 (http://e.x/_a_ 题) http://b *c*",
    );
    check(PLAIN, "***粗斜*** **a *b* c**", "粗斜 a b c");
}

#[test]
fn plain_code_is_as_it_was() {
    check(
        PLAIN,
        "看：\n```rust\nlet a = *b; // # _x_\n```\n完",
        "看：\nrust:\nlet a = *b; // # _x_\n完",
    );
    check(PLAIN, "```\na | b\n-|-\n", "a | b\n-|-\n");
}

#[test]
fn plain_tables_are_lines() {
    let table =
        "| 型号 | 价 | 速 |\n|:--|--:|---|\n| **a** | 1 | 快 |\n| b | 2 | x\\|y | 多 |\n\n完|成";
    check(PLAIN, table, "型号: 价 · 速\na: 1 · 快\nb: 2 · x|y · 多\n\n完|成");
    check(PLAIN, "a | b\nc", "a | b\nc");
}

use super::html;

fn check(text: &str, expected: &str) {
    assert_eq!(html(text), expected, "of {text:?}");
}

#[test]
fn what_wechat_shows_is_rendered() {
    check("**bold** and `code`", "<p><strong>bold</strong> and <code>code</code></p>");
    check("an *italic* word", "<p>an <em>italic</em> word</p>");
    check("# one\n#### four", "<h1>one</h1><h4>four</h4>");
    check("a\n\n---\n\nb", "<p>a</p><hr><p>b</p>");
    check("one\ntwo", "<p>one<br>two</p>");
    check("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>");
    check("3. c", "<ol start=\"3\"><li>c</li></ol>");
    check("```rust\nlet a = 1 < 2;\n```", "<pre><code>let a = 1 &lt; 2;\n</code></pre>");
    check(
        "|a|b|\n|-|-|\n|1|**2**|",
        "<table><thead><tr><th>a</th><th>b</th></tr></thead>\
         <tbody><tr><td>1</td><td><strong>2</strong></td></tr></tbody></table>",
    );
}

#[test]
fn what_wechat_does_not_show_stays_as_it_was_sent() {
    check("这是*强调*的", "<p>这是*强调*的</p>");
    check("a _中文_ b", "<p>a _中文_ b</p>");
    check("**中文粗体**", "<p><strong>中文粗体</strong></p>");
    check("##### five", "<p>##### five</p>");
    check("###### a **b** c", "<p>###### a **b** c</p>");
    check(
        "see ![alt *x*](http://e.com/i.png) here",
        "<p>see ![alt *x*](http://e.com/i.png) here</p>",
    );
    check("~~gone~~", "<p>~~gone~~</p>");
}

#[test]
fn links_lead_to_the_web_or_nowhere() {
    let link = |to: &str, text: &str| {
        format!(
            "<p><a href=\"{to}\" target=\"_blank\" rel=\"noopener noreferrer nofollow\">{text}</a></p>"
        )
    };
    check("[x](https://e.com/?a=1&b=2)", &link("https://e.com/?a=1&amp;b=2", "x"));
    check("http://e.com/a", &link("http://e.com/a", "http://e.com/a"));
    check("<https://e.com>", &link("https://e.com", "https://e.com"));
    check("[x](javascript:alert(1))", "<p>x</p>");
    check("[x](JaVaScRiPt:alert(1))", "<p>x</p>");
    check("[x](data:text/html,hi)", "<p>x</p>");
    check("[x](//e.com)", "<p>x</p>");
    check("[x](file:///etc/passwd)", "<p>x</p>");
    check("http:// and https://.", "<p>http:// and https://.</p>");
}

#[test]
fn an_address_in_a_sentence_ends_where_the_sentence_goes_on() {
    let shown = html("看https://e.com/a。再见 (http://b.com).");
    assert!(shown.contains("href=\"https://e.com/a\""), "{shown}");
    assert!(shown.contains("href=\"http://b.com\""), "{shown}");
    assert!(shown.ends_with("</a>).</p>"), "{shown}");
}

#[test]
fn hostile_input_stays_text() {
    let hostile = [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a <b onmouseover=\"x\">b</b>",
        "<svg/onload=alert(1)>",
        "[a\"onclick=\"x](https://e.com/\"onmouseover=\"alert(1))",
        "![\"><script>x</script>](http://e.com)",
        "##### <script>x</script>",
        "`<script>`",
        "```\n</code></pre><script>x</script>\n```",
        "|<script>|\n|-|\n|<iframe src=//e.com>|",
        "https://e.com/\"><script>x</script>",
        "<!-- --><style>*{}</style>",
        "&lt;script&gt;&#60;script&#62;",
        "[x]: javascript:alert(1)\n[x]",
        "*中<script>文*",
    ];
    for text in hostile {
        let shown = html(text);
        let tags = shown.split('<').skip(1).map(|tag| tag.split(['>', ' ']).next().unwrap());
        for tag in tags {
            let name = tag.trim_start_matches('/');
            let allowed = [
                "p",
                "br",
                "hr",
                "a",
                "em",
                "strong",
                "code",
                "pre",
                "table",
                "thead",
                "tbody",
                "tr",
                "th",
                "td",
                "ul",
                "ol",
                "li",
                "blockquote",
                "h1",
                "h2",
                "h3",
                "h4",
            ];
            assert!(allowed.contains(&name), "{name} in {shown:?} of {text:?}");
        }
        let tags = shown.split('<').skip(1).map(|tag| tag.split('>').next().unwrap());
        for (_, attributes) in tags.filter_map(|tag| tag.split_once(' ')) {
            assert!(attributes.starts_with("href=\"http"), "{shown:?} of {text:?}");
            assert!(attributes.ends_with("rel=\"noopener noreferrer nofollow\""), "{shown:?}");
            assert_eq!(attributes.matches('"').count(), 6, "{shown:?} of {text:?}");
        }
    }
}

#[test]
fn every_tag_is_closed_in_deep_and_broken_nesting() {
    let texts = [
        "> ".repeat(300) + "x",
        "*".repeat(500) + "中" + &"*".repeat(500),
        "[".repeat(500) + "x" + &"](http://e.com)".repeat(500),
        "- ".repeat(200) + "x",
        "**a *b** c*".to_owned(),
    ];
    for text in texts {
        let shown = html(&text);
        for tag in ["p", "em", "strong", "a", "ul", "li", "blockquote"] {
            let opened = shown.matches(&format!("<{tag}>")).count()
                + shown.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, shown.matches(&format!("</{tag}>")).count(), "{tag} in {shown}");
        }
    }
}

//! How fast an answer is rendered and split.
//!
//! `cargo bench -p prose --bench prose`

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prose::{Limits, Markup, Numbering, Pictures, Style, count_parts, render, split};

/// A long answer as agents write them, Chinese and English mixed.
fn answer() -> String {
    let section = "## 第一步：检查 `get_user_name` 的返回值\n\n\
        先运行 **cargo test**，看看 *哪一个* 测试失败了。一般来说，失败的原因有两个：其一是 `snake_case` 的名字写错，\
        其二是 [文档](https://docs.example/a_b/c_d) 里的例子过时了。Please note that *this* takes a while, \
        because every crate has to be compiled again.\n\n\
        ##### 小提示\n\n- 第一项：2*3 等于 6，不是 5。\n- second item with ***both*** marks\n  1. 嵌套的一项\n\n\
        ```rust\nfn main() {\n    let 名字 = get_user_name();\n    println!(\"{名字}\"); // *not* emphasis\n}\n```\n\n\
        | 型号 | 价格 | 速度 |\n|:-----|-----:|------|\n| small | 1 | 很快 |\n| large | 10 | 慢一些 |\n\n\
        ![结果图](https://cdn.example/pic_1.png)\n\n> 引用：“好的工具不应该丢字。”\n\n---\n\n";
    section.repeat(64)
}

fn prose(c: &mut Criterion) {
    let answer = answer();
    let mut group = c.benchmark_group("prose");
    group.throughput(Throughput::Bytes(answer.len() as u64));
    for markup in [Markup::Careful, Markup::Markdown, Markup::Plain] {
        let style = Style { markup, pictures: Pictures::Lift };
        group.bench_function(format!("render {markup:?}"), |b| b.iter(|| render(&answer, style)));
    }
    let limits = Limits::default();
    group.bench_function("split", |b| b.iter(|| split(&answer, &limits)));
    group.bench_function("count parts", |b| b.iter(|| count_parts(&answer, &limits)));
    let numbered = Limits { numbering: Numbering::End, ..limits };
    group.bench_function("split numbered", |b| b.iter(|| split(&answer, &numbered)));
}

criterion_group!(benches, prose);
criterion_main!(benches);

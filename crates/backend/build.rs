//! Rebuilds when the page was built anew.

#[expect(clippy::print_stdout, reason = "this is how one talks to cargo")]
fn main() {
    println!("cargo:rerun-if-changed=web/dist");
    println!("cargo:rerun-if-changed=build.rs");
}

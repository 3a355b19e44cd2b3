//! Transcripts of the command line: what is typed, what comes out, and the exit code.

#[test]
fn transcripts() {
    trycmd::TestCases::new().case("tests/cmd/*.md");
}

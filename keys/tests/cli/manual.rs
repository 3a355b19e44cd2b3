use crate::common::Folder;

#[test]
fn completions_and_the_manual_are_written_and_name_nothing_hidden() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = folder.run(&["completions", shell]);
        assert_eq!(script.code, Some(0));
        assert!(script.out.contains("vanity"), "{shell}");
    }
    assert_eq!(folder.run(&["man", "."]).code, Some(0));
    let page = |name: &str| std::fs::read_to_string(folder.path().join(name));
    assert!(page("taiinet-keys-generate.1").expect("a page").contains("vanity"));
    let main = page("taiinet-keys.1").expect("a page");
    assert!(main.contains("generate") && !main.contains("completions"), "{main}");
    assert_eq!(folder.run(&["man", "nowhere"]).code, Some(1));
}

//! `boma completions` and `boma man`.

use super::env::TestEnv;

#[test]
fn each_shell_has_its_completions() {
    let env = TestEnv::empty();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = env.expect(0, &["completions", shell]).stdout;
        assert!(script.contains("inventory"), "{shell}: {script}");
    }
    env.expect(1, &["completions", "cmd"]);
}

#[test]
fn each_command_has_its_page() {
    let env = TestEnv::empty();
    let page = env.expect(0, &["man"]).stdout;
    assert!(page.contains(".TH boma 1"), "{page}");
    env.expect(0, &["man", "--out", "pages/man1"]);
    for name in ["boma", "boma-plan", "boma-state-mv"] {
        let page = env.read(&format!("pages/man1/{name}.1"));
        let page = String::from_utf8(page).expect("text");
        assert!(page.contains(&format!(".TH {name} 1")), "{page}");
    }
    env.write("file", "");
    env.expect(1, &["man", "--out", "file"]).assert_one_error(&["failed to write", "--out"]);
}

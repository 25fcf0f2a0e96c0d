//! Commands in containers: `sh -c` with a pipeline of the few programs that the lab knows.

use serde_json::Value as Json;

use super::curl;
use super::environment::Environment;
use super::scene::Scene;
use super::sed;
use crate::lab::k3s::Cluster;
use crate::lab::vsphere::World;

/// What a command came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::lab) struct Ran {
    pub stdout: String,
    pub stderr: String,
    /// The exit status; `None` where no such program could be started at all.
    pub code: Option<u8>,
}

impl Ran {
    pub(super) fn failed(code: u8, stderr: &str) -> Self {
        Self { stdout: String::new(), stderr: stderr.to_owned(), code: Some(code) }
    }

    fn said(stdout: String) -> Self {
        Self { stdout, ..Self::default() }
    }
}

/// A program with what it is asked about.
struct Shell<'a> {
    scene: Scene<'a>,
    pod: &'a Json,
    env: Environment,
}

/// Runs a command in a container that runs.
pub(in crate::lab) fn run(
    cluster: &Cluster,
    world: &World,
    pod: &Json,
    container: &Json,
    command: &[String],
) -> Ran {
    let scene = Scene::new(cluster, world);
    let env = curl::variables(&scene, pod, container);
    let shell = Shell { scene, pod, env };
    match command {
        [shell_name, flag, script, ..]
            if ["sh", "bash", "/bin/sh", "/bin/bash"].contains(&shell_name.as_str())
                && flag.starts_with('-')
                && flag.ends_with('c') =>
        {
            shell.script(script)
        }
        words => {
            let ran = shell.program(words, "");
            // Without a shell nobody tells that there is no such program but the runtime.
            if ran.code == Some(127) { Ran { code: None, ..ran } } else { ran }
        }
    }
}

impl Shell<'_> {
    /// Pipelines one after the other; the status is that of the last.
    fn script(&self, script: &str) -> Ran {
        let mut whole = Ran { code: Some(0), ..Ran::default() };
        for line in split(script, &[';', '\n']) {
            let mut last = String::new();
            for part in split(&line, &['|']) {
                let words = self.words(&part);
                if words.is_empty() {
                    continue;
                }
                let ran = self.program(&words, &last);
                whole.stderr.push_str(&ran.stderr);
                (whole.code, last) = (ran.code, ran.stdout);
            }
            whole.stdout.push_str(&last);
        }
        whole
    }

    fn program(&self, words: &[String], stdin: &str) -> Ran {
        let Some((program, rest)) = words.split_first() else { return Ran::default() };
        let ran = match program.as_str() {
            "curl" => curl::curl(&self.scene, self.pod, rest, stdin),
            "printf" => Ran::said(formatted(rest)),
            "echo" => Ran::said(format!("{}\n", rest.join(" "))),
            "sed" => match sed::edit(rest, stdin) {
                Some(text) => Ran::said(text),
                None => Ran::failed(1, "sed: the lab knows only s/PATTERN/TEXT/\n"),
            },
            "cat" if rest.is_empty() => Ran::said(stdin.to_owned()),
            "true" | "set" => Ran::default(),
            "exec" => return self.program(rest, stdin),
            other => Ran::failed(127, &format!("sh: 1: {other}: not found\n")),
        };
        Ran { code: ran.code.or(Some(0)), ..ran }
    }

    /// Words of a simple command, with quotes and variables.
    fn words(&self, text: &str) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let mut word: Option<String> = None;
        let mut quote: Option<char> = None;
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match (letter, quote) {
                ('\'' | '"', None) => {
                    quote = Some(letter);
                    word.get_or_insert_default();
                }
                (letter, Some(open)) if letter == open => quote = None,
                ('\\', None | Some('"')) => {
                    let next = letters.next().unwrap_or('\\');
                    let word = word.get_or_insert_default();
                    if quote.is_some() && !['"', '\\', '$', '`'].contains(&next) {
                        word.push('\\');
                    }
                    word.push(next);
                }
                ('$', None | Some('"')) => {
                    let value = self.variable(&mut letters);
                    word.get_or_insert_default().push_str(&value);
                }
                (letter, None) if letter.is_whitespace() => words.extend(word.take()),
                (letter, _) => word.get_or_insert_default().push(letter),
            }
        }
        words.extend(word);
        // Where output goes is not followed.
        words.retain(|word| word != "2>&1" && word != "2>/dev/null");
        words
    }

    fn variable(&self, letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
        let braces = letters.next_if_eq(&'{').is_some();
        let mut name = String::new();
        while let Some(letter) =
            letters.next_if(|letter| letter.is_alphanumeric() || *letter == '_')
        {
            name.push(letter);
        }
        if braces {
            letters.next_if_eq(&'}');
        }
        if name.is_empty() { "$".to_owned() } else { self.env.get(&name).to_owned() }
    }
}

/// Parts between letters that are not quoted; `&&` parts commands as well.
fn split(text: &str, at: &[char]) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote: Option<char> = None;
    let mut before = ' ';
    for letter in text.chars() {
        match quote {
            Some(open) if letter == open && before != '\\' => quote = None,
            None if ['\'', '"'].contains(&letter) => quote = Some(letter),
            None if at.contains(&letter) => {
                parts.push(String::new());
                before = letter;
                continue;
            }
            _ => {}
        }
        before = letter;
        if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts
}

/// `printf`: `%s` takes the next word, `\n` is a line's end.
fn formatted(words: &[String]) -> String {
    let Some((format, values)) = words.split_first() else { return String::new() };
    let mut values = values.iter();
    let mut out = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => match letters.next() {
                Some('s') => out.push_str(values.next().map_or("", String::as_str)),
                Some(other) => out.push(other),
                None => out.push('%'),
            },
            '\\' => match letters.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            letter => out.push(letter),
        }
    }
    out
}

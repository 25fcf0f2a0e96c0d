//! Where secrets come from. Called only by the commands; `validate`, `--offline`, `show` and
//! `--lab` never get here.

use std::path::Path;
use std::process::{Command, Stdio};

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::resource::{SecretSource, TextPart};

/// A secret that could not be had. Never holds any part of one.
#[derive(Debug, Error)]
pub enum SecretError {
    /// A variable is not set or empty.
    #[error("the environment variable {0} is not set")]
    Unset(String),
    /// A file cannot be read.
    #[error("failed to read the secret file {path}")]
    File {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A command cannot be started.
    #[error("failed to run `{command}` for a secret")]
    Start {
        /// Which.
        command: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A command failed; what it printed is not repeated, since it may be the secret.
    #[error("`{command}` gave no secret: it ended with {status}")]
    Command {
        /// Which.
        command: String,
        /// How it ended.
        status: String,
    },
    /// The system gave nothing to make a secret of.
    #[error("the system gave no random bytes: {0}")]
    Entropy(String),
    /// What came is empty or not text.
    #[error("{0} gave nothing that can be used as a secret: it is empty or not UTF-8 text")]
    Unusable(String),
}

impl SecretError {
    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::Unset(name) => format!(
                "set {name} for this command, e.g. from your password store, or name another source in the spec"
            ),
            Self::File { .. } => {
                "create it with mode 0600, or name another source in the spec".into()
            }
            Self::Start { .. } => "install the program, or name another source in the spec".into(),
            Self::Entropy(_) => "see that the system's source of random bytes works".into(),
            Self::Command { .. } => "run it by hand to see what is wrong".into(),
            Self::Unusable(_) => "put the secret there, or name another source in the spec".into(),
        }
    }
}

/// Resolves one source, in which every secret of a text is had from `single`: whoever keeps what it
/// gave asks for none twice.
///
/// # Errors
/// Those of `single`.
pub fn compose<E>(
    source: &SecretSource,
    single: &mut dyn FnMut(&SecretSource) -> Result<SecretString, E>,
) -> Result<SecretString, E> {
    let SecretSource::Text(parts) = source else { return single(source) };
    let mut text = String::new();
    for part in parts {
        match part {
            TextPart::Plain(plain) => text.push_str(plain),
            TextPart::Secret(source, escape) => {
                text.push_str(&escape.write(compose(source, single)?.expose_secret()));
            }
        }
    }
    Ok(text.into())
}

/// Resolves one source; a generated one is another text each time. Relative paths start from the
/// spec's folder; `~/` is the home directory.
///
/// # Errors
/// There is no usable secret; see [`SecretError`].
pub fn resolve(source: &SecretSource, folder: &Path) -> Result<SecretString, SecretError> {
    let bytes = match source {
        SecretSource::Env(name) => {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.ok_or_else(|| SecretError::Unset(name.clone()))?.into_encoded_bytes()
        }
        SecretSource::File(path) => std::fs::read(expand(path, folder))
            .map_err(|source| SecretError::File { path: path.clone(), source })?,
        SecretSource::Command(words) => run(words, folder)?,
        SecretSource::Text(_) => {
            return compose(source, &mut |single| resolve(single, folder));
        }
        SecretSource::Generated(generated) => {
            let mut entropy = [0; 32];
            getrandom::fill(&mut entropy)
                .map_err(|error| SecretError::Entropy(error.to_string()))?;
            generated.form.write(entropy).into_bytes()
        }
    };
    let text = String::from_utf8(bytes).map_err(|_| SecretError::Unusable(source.to_string()))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(SecretError::Unusable(source.to_string()));
    }
    Ok(text.to_owned().into())
}

/// A path as written in a spec.
pub fn expand(path: &str, folder: &Path) -> std::path::PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => folder.join(path),
    }
}

fn run(words: &[String], folder: &Path) -> Result<Vec<u8>, SecretError> {
    let command = words.join(" ");
    let Some((program, arguments)) = words.split_first() else {
        return Err(SecretError::Unusable("an empty command".into()));
    };
    let output = Command::new(program)
        .args(arguments)
        .current_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| SecretError::Start { command: command.clone(), source })?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(SecretError::Command { command, status: output.status.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Escape;

    fn check(source: &SecretSource, expected: Result<&str, &str>) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("token"), "from file\n").expect("written");
        std::fs::write(folder.path().join("empty"), "\n").expect("written");
        let found = resolve(source, folder.path());
        let found = found.as_ref().map(ExposeSecret::expose_secret).map_err(ToString::to_string);
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    fn command(words: &[&str]) -> SecretSource {
        SecretSource::Command(words.iter().map(|&word| word.to_owned()).collect())
    }

    #[test]
    fn each_source_gives_the_secret_or_says_why_not() {
        check(&SecretSource::File("token".into()), Ok("from file"));
        check(&SecretSource::File("none".into()), Err("failed to read the secret file none"));
        check(
            &SecretSource::Env("BOMA_TEST_NOT_SET".into()),
            Err("the environment variable BOMA_TEST_NOT_SET is not set"),
        );
        check(&command(&["printf", "%s", "a b"]), Ok("a b"));
        check(
            &command(&["sh", "-c", "echo secret; exit 3"]),
            Err("`sh -c echo secret; exit 3` gave no secret: it ended with exit status: 3"),
        );
    }

    #[test]
    fn a_text_is_made_of_secrets() {
        let token = TextPart::Secret(SecretSource::File("token".into()), Escape::Url);
        check(
            &SecretSource::Text(vec![TextPart::Plain("a ".into()), token.clone()]),
            Ok("a from%20file"),
        );
        let none = TextPart::Secret(SecretSource::File("none".into()), Escape::None);
        check(&SecretSource::Text(vec![token, none]), Err("failed to read the secret file none"));
    }

    #[test]
    fn nothing_is_no_secret() {
        check(
            &SecretSource::File("empty".into()),
            Err(
                "file empty gave nothing that can be used as a secret: it is empty or not UTF-8 text",
            ),
        );
    }
}

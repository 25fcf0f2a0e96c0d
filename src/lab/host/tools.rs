//! The programs of coreutils that clients use.

use sha2::{Digest, Sha256};

use crate::lab::vsphere::hex;

use super::files::{Errno, parent};
use super::model::Body;
use super::parts::{Parts, parts};
use super::session::{Output, Session};

/// Runs one of them; `None` for a program that is none.
pub(super) fn run(session: &mut Session<'_>, words: &[String]) -> Option<Output> {
    let (program, rest) = words.split_first()?;
    let result = match program.as_str() {
        "install" => install(session, rest),
        "mv" => rename(session, rest),
        "rm" => remove(session, rest),
        "mkdir" => make(session, rest),
        "chmod" => chmod(session, rest),
        "ln" => link(session, rest),
        "cp" => copy(session, rest),
        "cat" => cat(session, rest),
        "sha256sum" => sha256sum(session, rest),
        "stat" => stat(session, rest),
        "test" => test(session, rest),
        "true" => Ok(Output::done()),
        "false" => Err(Output::failed(1, "")),
        "echo" => Ok(Output::text(format!("{}\n", rest.join(" ")))),
        "hostname" => Ok(Output::text(format!("{}\n", session.host.state.hostname))),
        "id" => id(session, rest),
        "date" => Ok(Output::text(format!("{}\n", session.clock()))),
        _ => return None,
    };
    Some(result.unwrap_or_else(|refused| refused))
}

type Ran = Result<Output, Output>;

fn install(session: &mut Session<'_>, words: &[String]) -> Ran {
    let Parts { flags, values, rest } = parts("install", words, "Dd", "mog")?;
    let refuse = |message: String| Output::failed(1, format!("install: {message}"));
    let mode = values.get(&'m').map_or(Ok(0o755), |text| octal(text));
    let mode = mode.map_err(|text| refuse(format!("invalid mode ‘{text}’")))?;
    let [source, target] = rest.as_slice() else {
        return Err(refuse("missing file operand".to_owned()));
    };
    if flags.contains(&'D') {
        let made = session.make_directory(parent(target), true);
        made.map_err(|errno| refuse(cannot("create directory", parent(target), errno)))?;
    }
    let content = session.read(source);
    let content = content.map_err(|errno| refuse(cannot("stat", source, errno)))?;
    let target = within(session, target, source);
    session.write(&target, &content, mode).map_err(|errno| {
        refuse(match errno {
            Errno::NoSpace => format!("error writing '{target}': {}", errno.message()),
            _ => cannot("create regular file", &target, errno),
        })
    })?;
    let owner = values.get(&'o').or_else(|| values.get(&'g'));
    if owner.is_some_and(|owner| !session.root && *owner != session.user) {
        return Err(refuse(format!(
            "cannot change ownership of '{target}': {}",
            Errno::NotPermitted.message()
        )));
    }
    Ok(Output::done())
}

fn rename(session: &mut Session<'_>, words: &[String]) -> Ran {
    let Parts { flags, rest, .. } = parts("mv", words, "fTn", "")?;
    let refuse = |message: String| Output::failed(1, format!("mv: {message}"));
    let [source, target] = rest.as_slice() else {
        return Err(refuse("missing file operand".to_owned()));
    };
    if !session.host.files.contains_key(source) {
        return Err(refuse(cannot("stat", source, Errno::NoEntry)));
    }
    let target = if flags.contains(&'T') {
        if session.host.is_directory(target) && !session.host.is_directory(source) {
            return Err(refuse(format!(
                "cannot overwrite directory '{target}' with non-directory"
            )));
        }
        target.clone()
    } else {
        within(session, target, source)
    };
    let renamed = session.rename(source, &target);
    renamed.map_err(|errno| {
        refuse(format!("cannot move '{source}' to '{target}': {}", errno.message()))
    })?;
    Ok(Output::done())
}

fn remove(session: &mut Session<'_>, words: &[String]) -> Ran {
    let Parts { flags, rest, .. } = parts("rm", words, "frRv", "")?;
    let recursive = flags.contains(&'r') || flags.contains(&'R');
    let mut failed = String::new();
    for path in &rest {
        let path = path.trim_end_matches('/');
        match session.remove(path, recursive) {
            Err(Errno::NoEntry) if flags.contains(&'f') => {}
            Err(errno) => failed += &format!("rm: {}\n", cannot("remove", path, errno)),
            Ok(()) => {}
        }
    }
    if failed.is_empty() { Ok(Output::done()) } else { Err(Output::failed(1, failed)) }
}

fn make(session: &mut Session<'_>, words: &[String]) -> Ran {
    let Parts { flags, values, rest } = parts("mkdir", words, "p", "m")?;
    for path in &rest {
        let path = path.trim_end_matches('/');
        let there = session.host.is_directory(path);
        let made = session.make_directory(path, flags.contains(&'p'));
        let refuse = |errno| {
            Output::failed(1, format!("mkdir: {}", cannot("create directory", path, errno)))
        };
        made.map_err(refuse)?;
        let mode = values.get(&'m').and_then(|mode| octal(mode).ok());
        if let (false, Some(mode), Some(node)) = (there, mode, session.host.files.get_mut(path)) {
            node.mode = mode;
        }
    }
    Ok(Output::done())
}

fn chmod(session: &mut Session<'_>, words: &[String]) -> Ran {
    let Parts { rest, .. } = parts("chmod", words, "f", "")?;
    let refuse = |message: String| Output::failed(1, format!("chmod: {message}"));
    let Some((mode, paths)) = rest.split_first() else {
        return Err(refuse("missing operand".to_owned()));
    };
    let mode = octal(mode).map_err(|mode| refuse(format!("invalid mode: ‘{mode}’")))?;
    for path in paths {
        let (root, user) = (session.root, session.user.clone());
        match session.host.files.get_mut(path) {
            None => return Err(refuse(cannot("access", path, Errno::NoEntry))),
            Some(node) if !root && node.owner != user => {
                let why = Errno::NotPermitted.message();
                return Err(refuse(format!("changing permissions of '{path}': {why}")));
            }
            Some(node) => node.mode = mode,
        }
    }
    Ok(Output::done())
}

fn link(session: &mut Session<'_>, words: &[String]) -> Ran {
    let Parts { flags, rest, .. } = parts("ln", words, "sfnT", "")?;
    let [target, path] = rest.as_slice() else {
        return Err(Output::failed(1, "ln: missing file operand"));
    };
    let refuse = |errno: Errno| {
        let why = errno.message();
        Output::failed(1, format!("ln: failed to create symbolic link '{path}': {why}"))
    };
    if session.host.files.contains_key(path) && !flags.contains(&'f') {
        return Err(refuse(Errno::Exists));
    }
    session.may_write(path).map_err(refuse)?;
    let node = session.new_node(Body::Link(target.clone()), 0o777);
    session.host.files.insert(path.clone(), node);
    Ok(Output::done())
}

fn copy(session: &mut Session<'_>, words: &[String]) -> Ran {
    let Parts { flags, rest, .. } = parts("cp", words, "aprRfT", "")?;
    let refuse = |message: String| Output::failed(1, format!("cp: {message}"));
    let Some((target, sources)) = rest.split_last().filter(|(_, sources)| !sources.is_empty())
    else {
        return Err(refuse("missing file operand".to_owned()));
    };
    let tree = flags.contains(&'a') || flags.contains(&'r') || flags.contains(&'R');
    for source in sources {
        let (from, inside) = match source.strip_suffix("/.") {
            Some(directory) => (directory, true),
            None => (source.trim_end_matches('/'), false),
        };
        let Some(node) = session.host.node(from).cloned() else {
            return Err(refuse(cannot("stat", source, Errno::NoEntry)));
        };
        if node.body == Body::Directory && !tree {
            return Err(refuse(format!("-r not specified; omitting directory '{source}'")));
        }
        let target = target.trim_end_matches('/');
        let itself = inside || flags.contains(&'T');
        let target = if itself { target.to_owned() } else { within(session, target, from) };
        let over = session.host.is_directory(&target);
        if over && node.body != Body::Directory {
            return Err(refuse(format!(
                "cannot overwrite directory '{target}' with non-directory"
            )));
        }
        let allowed = session.may_write(&target);
        allowed.map_err(|errno| refuse(cannot("create regular file", &target, errno)))?;
        let files = session.host.files.iter();
        let below = files.filter_map(|(path, node)| {
            let rest = path.strip_prefix(from).filter(|rest| rest.starts_with('/'))?;
            Some((format!("{target}{rest}"), node.clone()))
        });
        let below: Vec<_> = below.collect();
        session.host.files.extend(below);
        if !over {
            session.host.files.insert(target, node);
        }
    }
    Ok(Output::done())
}

fn cat(session: &mut Session<'_>, words: &[String]) -> Ran {
    let Parts { rest, .. } = parts("cat", words, "", "")?;
    let mut output = Output::done();
    for path in &rest {
        match session.read(path) {
            Ok(content) => output.stdout.extend(content),
            Err(errno) => {
                output.status = 1;
                output.stderr += &format!("cat: {path}: {}\n", errno.message());
            }
        }
    }
    Ok(output)
}

fn sha256sum(session: &mut Session<'_>, words: &[String]) -> Ran {
    let Parts { rest, .. } = parts("sha256sum", words, "b", "")?;
    let mut output = Output::done();
    for path in &rest {
        match session.read(path) {
            Ok(content) => {
                let line = format!("{}  {path}\n", hex(&Sha256::digest(&content)));
                output.stdout.extend(line.into_bytes());
            }
            Err(errno) => {
                output.status = 1;
                output.stderr += &format!("sha256sum: {path}: {}\n", errno.message());
            }
        }
    }
    Ok(output)
}

/// `stat -c FORMAT PATH…` with mode, owner, size and time.
fn stat(session: &mut Session<'_>, words: &[String]) -> Ran {
    let Parts { values, rest, .. } = parts("stat", words, "L", "c")?;
    let format = values.get(&'c').cloned().unwrap_or_else(|| "%n".to_owned());
    let mut text = String::new();
    for path in &rest {
        let Some(node) = session.host.node(path) else {
            let why = Errno::NoEntry.message();
            return Err(Output::failed(1, format!("stat: cannot statx '{path}': {why}")));
        };
        let size = match &node.body {
            Body::File(content) => content.0.len(),
            _ => 4096,
        };
        let line = format
            .replace("%n", path)
            .replace("%a", &format!("{:o}", node.mode))
            .replace("%U", &node.owner)
            .replace("%G", &node.owner)
            .replace("%s", &size.to_string())
            .replace("%Y", &node.modified.to_string());
        text += &format!("{line}\n");
    }
    Ok(Output::text(text))
}

fn test(session: &mut Session<'_>, words: &[String]) -> Ran {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let holds = match words.as_slice() {
        ["-e", path] => session.host.node(path).is_some(),
        ["-f", path] => session.host.node(path).is_some() && !session.host.is_directory(path),
        ["-d", path] => session.host.is_directory(path),
        ["-s", path] => session.host.text(path).is_some_and(|text| !text.is_empty()),
        _ => return Err(Output::failed(2, "sh: 1: test: unknown operator")),
    };
    if holds { Ok(Output::done()) } else { Err(Output::failed(1, "")) }
}

fn id(session: &mut Session<'_>, words: &[String]) -> Ran {
    let Parts { flags, .. } = parts("id", words, "un", "")?;
    let (name, number) = if session.root { ("root", 0) } else { (session.user.as_str(), 1000) };
    Ok(Output::text(match (flags.contains(&'u'), flags.contains(&'n')) {
        (true, true) => format!("{name}\n"),
        (true, false) => format!("{number}\n"),
        _ => format!("uid={number}({name}) gid={number}({name}) groups={number}({name})\n"),
    }))
}

/// The path itself, or the file in it where it is a directory.
fn within(session: &Session<'_>, target: &str, source: &str) -> String {
    if session.host.is_directory(target) {
        let name = source.rsplit('/').next().unwrap_or_default();
        return format!("{}/{name}", target.trim_end_matches('/'));
    }
    target.to_owned()
}

fn octal(text: &str) -> Result<u32, String> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777).ok_or_else(|| text.to_owned())
}

fn cannot(what: &str, path: &str, errno: Errno) -> String {
    format!("cannot {what} '{path}': {}", errno.message())
}

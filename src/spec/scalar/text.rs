//! All other texts: thumbprints, keys, accounts, modes, taints.

use super::Form;
use super::name::{LABEL_KEY, LABEL_VALUE};
use crate::spec::{Taint, TaintEffect};

/// Any text of one line.
pub(crate) static TEXT: Form = Form {
    name: "a text of one line",
    help: "write a text between quotes, without line breaks",
    example: "text",
    pattern: "",
    check: |text| {
        if text.trim().is_empty() {
            Err("empty")
        } else if text.contains(char::is_control) {
            Err("has a control character")
        } else if text.len() > 4096 {
            Err("longer than 4096 bytes")
        } else {
            Ok(())
        }
    },
};

/// The SHA-256 of a certificate, with colons or without.
pub(crate) static THUMBPRINT: Form = Form {
    name: "a SHA-256 thumbprint",
    help: "write 32 bytes in hex joined by colons, as `openssl x509 \
        -fingerprint -sha256` prints them; SHA-1 (20 bytes) is not enough",
    example: "A1:B2:C3:D4:E5:F6:07:18:29:3A:4B:5C:6D:7E:8F:90:A1:B2:C3:D4:E5:F6:07:18:29:3A:4B:5C:6D:7E:8F:90",
    pattern: "^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$",
    check: |text| parse_thumbprint(text).map(drop),
};

/// An SSH host key's fingerprint.
pub(crate) static FINGERPRINT: Form = Form {
    name: "a host key fingerprint",
    help: "write it as `ssh-keygen -lf` prints it: SHA256: and 43 characters",
    example: "SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDhI9tCsd0u6Yd0Zp8",
    pattern: "^SHA256:[A-Za-z0-9+/]{43}$",
    check: |text| {
        let base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
        match text.strip_prefix("SHA256:") {
            Some(hash) if hash.len() == 43 && hash.bytes().all(base64) => Ok(()),
            Some(_) => Err("not 43 characters of base64"),
            None => Err("\"SHA256:\" is missing"),
        }
    },
};

/// A line of an authorized_keys file.
pub(crate) static PUBLIC_KEY: Form = Form {
    name: "an SSH public key",
    help: "write the line of the .pub file: \"ssh-ed25519 AAAA… name\"",
    example: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKHEChAJ2L7FMvMDZzS4E0nTqyBNYjXWkDdxL4qzHDXm",
    pattern: "^(ssh|ecdsa|sk)-[A-Za-z0-9@.-]+ AAAA[A-Za-z0-9+/=]+( .*)?$",
    check: |text| {
        let mut words = text.split(' ');
        let kind = words.next().unwrap_or("");
        let known = ["ssh-", "ecdsa-", "sk-"].iter().any(|start| kind.starts_with(start));
        let key = words.next().is_some_and(|key| key.starts_with("AAAA"));
        if text.contains(char::is_control) {
            Err("more than one line")
        } else if known && key {
            Ok(())
        } else {
            Err("not a public key")
        }
    },
};

/// `name@domain` or `DOMAIN\name`
pub(crate) static PRINCIPAL: Form = Form {
    name: "an account with its domain",
    help: "write 'VSPHERE.LOCAL\\name' (single quotes keep the backslash) or \
        \"name@vsphere.local\", with letters, digits, '.', '_' and '-'; CSI \
        stops at other forms",
    example: "cht-storage@vsphere.local",
    pattern: r"^([A-Za-z0-9._-]+\\[A-Za-z0-9._-]+|[A-Za-z0-9._-]+@[A-Za-z0-9._-]+)$",
    check: |text| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let word = |part: &str| !part.is_empty() && part.bytes().all(allowed);
        match text.split_once('\\').or_else(|| text.split_once('@')) {
            Some((a, b)) if word(a) && word(b) => Ok(()),
            Some(_) => Err("has a character that is not allowed"),
            None => Err("the domain is missing"),
        }
    },
};

/// `0600`
pub(crate) static MODE: Form = Form {
    name: "a file mode",
    help: "write four octal digits: \"0600\"",
    example: "0600",
    pattern: "^0?[0-7]{3}$",
    check: |text| parse_mode(text).map(drop),
};

/// `key=value:NoSchedule`
pub(crate) static TAINT: Form = Form {
    name: "a taint",
    help: "write key=value:NoSchedule; the effect is NoSchedule, PreferNoSchedule or NoExecute",
    example: "dedicated=large:NoSchedule",
    pattern: "^[^=: ]+(=[^=: ]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$",
    check: |text| parse_taint(text).map(drop),
};

/// `max-pods=150`
pub(crate) static KUBELET_ARG: Form = Form {
    name: "a kubelet argument",
    help: "write name=value without dashes in front: \"max-pods=150\"",
    example: "max-pods=150",
    pattern: "^[a-z][a-z0-9-]*=[^ ]+$",
    check: |text| match text.split_once('=') {
        Some(("provider-id" | "cloud-provider" | "node-ip", _)) => Err("boma sets this one"),
        Some((name, value)) => {
            let letters =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
            let plain =
                !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c.is_control());
            (starts && name.bytes().all(letters) && plain).then_some(()).ok_or("not name=value")
        }
        None => Err("not name=value"),
    },
};

/// `ds:///vmfs/volumes/…/`
pub(crate) static DATASTORE_URL: Form = Form {
    name: "a datastore URL",
    help: "copy it from the datastore's summary: \
        \"ds:///vmfs/volumes/vsan:52cdfa80721ff516-ea1e993113acfc77/\"",
    example: "ds:///vmfs/volumes/vsan:52cdfa80721ff516-ea1e993113acfc77/",
    pattern: "^ds:///vmfs/volumes/[^ /]+/$",
    check: |text| {
        let id = text.strip_prefix("ds:///vmfs/volumes/").and_then(|rest| rest.strip_suffix('/'));
        match id {
            Some(id) if !id.is_empty() && !id.contains(['/', ' ']) => Ok(()),
            _ => Err("not ds:///vmfs/volumes/…/"),
        }
    },
};

/// 32 upper-case bytes joined by colons.
pub(crate) fn parse_thumbprint(text: &str) -> Result<String, &'static str> {
    let hex: Vec<char> = text.chars().filter(|c| *c != ':').collect();
    if !hex.iter().all(char::is_ascii_hexdigit) {
        return Err("not hex digits");
    }
    match hex.len() {
        64 => Ok(hex
            .chunks(2)
            .map(|byte| byte.iter().collect::<String>().to_ascii_uppercase())
            .collect::<Vec<_>>()
            .join(":")),
        40 => Err("a SHA-1 thumbprint"),
        _ => Err("not 32 bytes"),
    }
}

/// The permission bits.
pub(crate) fn parse_mode(text: &str) -> Result<u32, &'static str> {
    let digits = match text.len() {
        4 => text.strip_prefix('0').ok_or("more than permission bits")?,
        3 => text,
        _ => return Err("not four octal digits"),
    };
    if !digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return Err("not octal digits");
    }
    u32::from_str_radix(digits, 8).map_err(|_| "not octal digits")
}

pub(crate) fn parse_taint(text: &str) -> Result<Taint, &'static str> {
    let (label, effect) = text.rsplit_once(':').ok_or("the effect is missing")?;
    let effect = match effect {
        "NoSchedule" => TaintEffect::NoSchedule,
        "PreferNoSchedule" => TaintEffect::PreferNoSchedule,
        "NoExecute" => TaintEffect::NoExecute,
        _ => return Err("an unknown effect"),
    };
    let (key, value) = label.split_once('=').unwrap_or((label, ""));
    (LABEL_KEY.check)(key)?;
    if !value.is_empty() {
        (LABEL_VALUE.check)(value)?;
    }
    Ok(Taint { key: key.into(), value: value.into(), effect })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn keys_have_their_length() {
        check(&THUMBPRINT, &[&"ab".repeat(32)], &["", &"ab".repeat(20), &"zz".repeat(32)]);
        check(&FINGERPRINT, &[], &["MD5:aa", "SHA256:x"]);
        check(&PUBLIC_KEY, &[], &["AAAA", "ssh-ed25519", "ssh-rsa AAAA\nssh-rsa AAAA"]);
    }

    #[test]
    fn accounts_have_a_domain() {
        check(&PRINCIPAL, &[r"VSPHERE.LOCAL\cht-storage"], &["root", "a@b@c", r"\a", "a b@c", ""]);
    }

    #[test]
    fn modes_and_arguments_are_plain() {
        check(
            &DATASTORE_URL,
            &[],
            &["", "ds:///vmfs/volumes/", "ds:///vmfs/volumes/a", "/vmfs/volumes/a/"],
        );
        assert_eq!(parse_mode("0644"), Ok(0o644));
        check(&MODE, &["600"], &["", "0o644", "4755", "0800", "+644", "06444"]);
        check(&KUBELET_ARG, &[], &["--max-pods=1", "max-pods", "provider-id=x", "a=", "a=b c"]);
        check(&TAINT, &["a:NoExecute", "a=:NoSchedule"], &["a", "a=b", "a=b:Never", ":NoSchedule"]);
        check(&TEXT, &["a b"], &["", "  ", "a\nb"]);
    }
}

//! Sizes with binary units, and CPU quantities.

use super::Form;

/// `8GiB`
pub(crate) static SIZE: Form = Form {
    name: "a size",
    help: "write a whole number and a binary unit: \"512MiB\", \"8GiB\" or \"1TiB\"",
    example: "8GiB",
    pattern: "^[0-9]+ ?(MiB|GiB|TiB)$",
    check: |text| parse_size_mib(text).map(drop),
};

/// `500m`
pub(crate) static CPU: Form = Form {
    name: "a number of CPUs",
    help: "write whole CPUs or thousandths: \"2\" or \"500m\"",
    example: "500m",
    pattern: "^[0-9]+m?$",
    check: |text| parse_cpu(text).map(drop),
};

/// MiB. Decimal units are refused: vSphere and CSI count in binary ones, and a silent
/// difference of 7 % is found when a volume is full.
pub(crate) fn parse_size_mib(text: &str) -> Result<u64, &'static str> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..).unwrap_or("").trim_start_matches(' ');
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("not a whole number and a unit");
    }
    let factor = match unit {
        "MiB" => 1,
        "GiB" => 1024,
        "TiB" => 1024 * 1024,
        "" => return Err("the unit is missing"),
        "KB" | "MB" | "GB" | "TB" => return Err("a decimal unit"),
        _ => return Err("an unknown unit"),
    };
    let number: u64 = digits.parse().map_err(|_| "too large")?;
    let mib = number.checked_mul(factor).ok_or("too large")?;
    // 1 EiB; far above any disk, far below where sums of sizes overflow.
    if mib > 1 << 40 {
        return Err("too large");
    }
    if mib == 0 { Err("nothing") } else { Ok(mib) }
}

/// Thousandths of a CPU.
pub(crate) fn parse_cpu(text: &str) -> Result<u64, &'static str> {
    let (digits, factor) = match text.strip_suffix('m') {
        Some(digits) => (digits, 1),
        None => (text, 1000),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("not a number");
    }
    let number: u64 = digits.parse().map_err(|_| "too large")?;
    let milli = number.checked_mul(factor).ok_or("too large")?;
    match milli {
        0 => Err("nothing"),
        1..=4_096_000 => Ok(milli),
        _ => Err("more than 4096 CPUs"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn sizes_carry_binary_units() {
        assert_eq!(parse_size_mib("8GiB"), Ok(8192));
        assert_eq!(parse_size_mib("1 TiB"), Ok(1024 * 1024));
        check(
            &SIZE,
            &["512MiB", "8 GiB"],
            &[
                "8",
                "8GB",
                "8gib",
                "0GiB",
                "-1GiB",
                "",
                "GiB",
                "99999999999999999999GiB",
                "18014398509481984TiB",
                "1.5GiB",
            ],
        );
    }

    #[test]
    fn cpus_are_whole_or_thousandths() {
        assert_eq!(parse_cpu("2"), Ok(2000));
        assert_eq!(parse_cpu("250m"), Ok(250));
        check(&CPU, &["1"], &["0", "1.5", "", "m", "-1", "99999999999999999999"]);
    }
}

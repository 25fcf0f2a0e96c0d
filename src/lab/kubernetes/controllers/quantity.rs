//! Amounts as Kubernetes writes them: `200m`, `8Gi`, `1e3`.

use serde_json::Value as Json;

/// Thousandths of the unit. `None` for what is no amount.
pub(super) fn milli(value: &Json) -> Option<i128> {
    match value {
        Json::Number(number) => number.as_f64().map(|value| (value * 1000.0).round() as i128),
        Json::String(text) => of_text(text),
        _ => None,
    }
}

/// Whole units, rounded up.
pub(super) fn whole(value: &Json) -> Option<i128> {
    milli(value).map(|milli| milli.div_euclid(1000) + i128::from(milli.rem_euclid(1000) > 0))
}

fn of_text(text: &str) -> Option<i128> {
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-' || c == '+'));
    let (number, suffix) = text.split_at(digits.unwrap_or(text.len()));
    let number: f64 = number.parse().ok()?;
    let factor: f64 = match suffix {
        "" => 1.0,
        "m" => 0.001,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        other => {
            let power: i32 = other.strip_prefix(['e', 'E'])?.parse().ok()?;
            10_f64.powi(power.clamp(-18, 18))
        }
    };
    let milli = number * factor * 1000.0;
    (milli.abs() < 1e30).then_some(milli.round() as i128)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_read() {
        for (text, expected) in [
            (json!("200m"), Some(200)),
            (json!("0.5"), Some(500)),
            (json!(2), Some(2000)),
            (json!("1Ki"), Some(1_024_000)),
            (json!("1e3"), Some(1_000_000)),
            (json!("x"), None),
            (json!(null), None),
        ] {
            assert_eq!(milli(&text), expected, "{text}");
        }
        assert_eq!(whole(&json!("1500m")), Some(2));
    }
}

//! Durations, cron schedules and dates.

use jiff::civil::Date;

use super::Form;

/// `5m`
pub(crate) static DURATION: Form = Form {
    name: "a duration",
    help: "write a whole number and a unit: \"30s\", \"5m\", \"26h\" or \"7d\"",
    example: "5m",
    pattern: "^[0-9]+(s|m|h|d)$",
    check: |text| parse_duration(text).map(drop),
};

/// `0 */6 * * *`
pub(crate) static CRON: Form = Form {
    name: "a schedule",
    help: "write the five cron fields minute, hour, day, month and weekday: \
        \"0 */6 * * *\" is every six hours",
    example: "0 */6 * * *",
    pattern: r"^[0-9*/,-]+( [0-9*/,-]+){4}$",
    check: check_cron,
};

/// `2027-06-30`
pub(crate) static DATE: Form = Form {
    name: "a date",
    help: "write year, month and day: 2027-06-30",
    example: "2027-06-30",
    pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    check: |text| parse_date(text).map(drop),
};

/// Smallest and largest value of minute, hour, day, month and weekday.
const CRON_FIELDS: [(u32, u32); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];

/// Whole seconds.
pub(crate) fn parse_duration(text: &str) -> Result<u64, &'static str> {
    let Some((digits, unit)) = text.split_at_checked(text.len().saturating_sub(1)) else {
        return Err("not a number and a unit");
    };
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err("the unit is missing or unknown"),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("not a whole number");
    }
    let number: u64 = digits.parse().map_err(|_| "too long")?;
    match number.checked_mul(factor) {
        // Ten years: longer waits are a slip of the finger.
        Some(seconds @ 0..=315_360_000) => Ok(seconds),
        _ => Err("too long"),
    }
}

/// Only `YYYY-MM-DD`: jiff alone would also take times, which a waiver does not have.
pub(crate) fn parse_date(text: &str) -> Result<Date, &'static str> {
    let fits = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    if text.len() != 10 || !text.bytes().enumerate().all(fits) {
        return Err("not YYYY-MM-DD");
    }
    text.parse().map_err(|_| "no such day")
}

fn check_cron(text: &str) -> Result<(), &'static str> {
    let fields: Vec<&str> = text.split(' ').collect();
    if fields.len() != CRON_FIELDS.len() {
        return Err("not five fields");
    }
    fields
        .iter()
        .zip(CRON_FIELDS)
        .all(|(field, range)| field.split(',').all(|item| is_cron_item(item, range)))
        .then_some(())
        .ok_or("a field has no such value")
}

/// `*`, `5`, `1-5`, and each with `/2`.
fn is_cron_item(item: &str, (min, max): (u32, u32)) -> bool {
    let number = |text: &str| {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u32>().ok()).flatten()
    };
    let within = |value: &u32| (min..=max).contains(value);
    let (base, step) = item.split_once('/').unwrap_or((item, "1"));
    let step_fits = number(step).is_some_and(|step| (1..=max).contains(&step));
    let base_fits = match base.split_once('-') {
        _ if base == "*" => true,
        None => number(base).filter(within).is_some(),
        Some((from, to)) => {
            let from = number(from).filter(within);
            let to = number(to).filter(within);
            from.zip(to).is_some_and(|(from, to)| from <= to)
        }
    };
    step_fits && base_fits
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::super::testing::check;
    use super::*;

    #[test]
    fn durations_have_one_unit() {
        assert_eq!(parse_duration("90s"), Ok(90));
        assert_eq!(parse_duration("26h"), Ok(93_600));
        check(
            &DURATION,
            &["0s", "7d"],
            &["", "5", "m", "5 m", "1h30m", "é", "99999999999999999999d", "9999d"],
        );
    }

    #[test]
    fn schedules_have_five_fields_in_range() {
        check(
            &CRON,
            &["* * * * *", "0 0,12 * * 1-5", "*/15 1-5/2 1 12 7"],
            &[
                "",
                "0 0 * *",
                "60 * * * *",
                "* 24 * * *",
                "5-1 * * * *",
                "*/0 * * * *",
                "a * * * *",
                "@daily",
                "* * 0 * *",
            ],
        );
    }

    #[test]
    fn dates_exist() {
        check(
            &DATE,
            &["2028-02-29"],
            &["2027-02-29", "2027-6-3", "tomorrow", "2027-06-30T1", "30-06-2027"],
        );
    }
}

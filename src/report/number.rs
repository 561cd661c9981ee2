//! Numbers as people read them.

/// Digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and its noun, in the plural if need be: `1 job`, `1,200 jobs already running`, `2 dependencies`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    if count == 1 {
        return format!("1 {noun}");
    }
    // What follows "job" or "change" is not part of the noun.
    let (noun, rest) = match noun.split_once(' ') {
        Some((first, rest)) if rest != "graph" => (first, format!(" {rest}")),
        _ => (noun, String::new()),
    };
    let plural = match noun.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{noun}s"),
    };
    format!("{} {plural}{rest}", grouped(count))
}

/// A number with three digits that count and the unit that suits it.
pub(crate) fn scaled(number: f64, unit: &str) -> String {
    let (mut number, mut prefixes) = (number, ["", "k", "M", "G"].iter());
    let mut prefix = prefixes.next().expect("there are four");
    while number >= 999.5 {
        let Some(next) = prefixes.next() else { break };
        (number, prefix) = (number / 1000.0, next);
    }
    let decimals = match number {
        _ if prefix.is_empty() => 0,
        n if n < 9.995 => 2,
        n if n < 99.95 => 1,
        _ => 0,
    };
    format!("{number:.decimals$} {prefix}{unit}")
}

/// Grams as kilograms or tonnes: `13.4 t`, `250 kg`.
pub(crate) fn mass(grams: f64) -> String {
    if grams.abs() < 999_500.0 { format!("{:.0} kg", grams / 1e3) } else { format!("{:.1} t", grams / 1e6) }
}

/// At least two digits that count, however small: `1.25`, `0.61`, `0.0023`.
pub(crate) fn significant(number: f64) -> String {
    let mut decimals = 2;
    while decimals < 9 && number > 0.0 && number * 10_f64.powi(decimals) < 9.5 {
        decimals += 1;
    }
    format!("{number:.*}", usize::try_from(decimals).unwrap_or(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers_keep_two_digits() {
        for (number, text) in
            [(0.0, "0.00"), (12.345, "12.35"), (0.61, "0.61"), (0.0912, "0.091"), (0.00231, "0.0023")]
        {
            assert_eq!(significant(number), text, "{number}");
        }
    }

    #[test]
    fn nouns_follow_their_number() {
        for (count, noun, text) in [
            (1, "job", "1 job"),
            (0, "job", "0 jobs"),
            (1_234_567, "job", "1,234,567 jobs"),
            (2, "dependency", "2 dependencies"),
            (2, "job graph", "2 job graphs"),
            (2, "job already running", "2 jobs already running"),
            (3, "change of capacity", "3 changes of capacity"),
        ] {
            assert_eq!(counted(count, noun), text, "{noun}");
        }
    }
}

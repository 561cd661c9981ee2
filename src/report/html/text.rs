//! Names and numbers as they stand in a page.

use crate::ensemble::Unit;
use crate::report::compare::amount;
use crate::report::number::grouped;
use serde_json::Value;

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As a comparison writes it.
    Of(Unit),
    /// GPU-hours, with a decimal.
    Hours,
    /// Per something, with a decimal below a hundred.
    Rate,
    /// Dollars a megawatt-hour.
    Price,
}

impl Form {
    /// What the page's elements say of it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Of(Unit::Seconds) => "seconds",
            Self::Of(Unit::Ratio) => "ratio",
            Self::Of(Unit::Share) => "share",
            Self::Of(Unit::Jobs) => "jobs",
            Self::Of(Unit::Joules) => "joules",
            Self::Of(Unit::Watts) => "watts",
            Self::Of(Unit::Dollars) => "dollars",
            Self::Of(Unit::Grams) => "grams",
            Self::Hours => "GPU-hours",
            Self::Rate => "rate",
            Self::Price => "price",
        }
    }
    /// A number as people read it.
    pub(super) fn shown(self, value: f64) -> String {
        let rounded = |value: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates, for display"
            )]
            let whole = value.max(0.0).round() as u64;
            grouped(whole)
        };
        match self {
            Self::Of(unit) => amount(value, unit),
            Self::Hours if value < 10_000.0 => {
                let tenths = format!("{value:.1}");
                let (whole, tenth) = tenths.split_once('.').unwrap_or((&tenths, "0"));
                format!("{}.{tenth}", whole.parse().map_or_else(|_| whole.to_owned(), grouped))
            }
            Self::Hours => rounded(value),
            Self::Rate if value < 100.0 => format!("{value:.1}"),
            Self::Rate => rounded(value),
            Self::Price => format!("{value:.2}"),
        }
    }
}

/// A text as HTML, within an element or between the quotes of an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Nothing in a name turns the direction of writing or stands for something invisible.
            '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => safe.push(char::REPLACEMENT_CHARACTER),
            c if c.is_control() && c != '\n' && c != '\t' => safe.push(char::REPLACEMENT_CHARACTER),
            c => safe.push(c),
        }
    }
    safe
}

/// A sentence as HTML, with what stands between backticks as code.
pub(super) fn prose(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in escaped(text).split('`').enumerate() {
        html.push_str(match index % 2 {
            1 => "<code>",
            _ if index > 0 => "</code>",
            _ => "",
        });
        html.push_str(part);
    }
    // A name may have a backtick of its own.
    if html.matches("<code>").count() > html.matches("</code>").count() { html + "</code>" } else { html }
}

/// The text, or its beginning and an ellipsis if it has more than so many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A number of `summary.json`, by its JSON pointer, as an element that says which it is; a dash where it is not there.
pub(super) fn number(summary: &Value, key: &str, form: Form) -> String {
    match summary.pointer(key).and_then(|value| value.as_f64().map(|number| (value, number))) {
        Some((exact, value)) => {
            let (form, text) = (form.name(), form.shown(value));
            format!(
                "<data value=\"{exact}\" data-key=\"{}\" data-form=\"{form}\">{text}</data>",
                escaped(key)
            )
        }
        None => "–".to_owned(),
    }
}

/// The number that a JSON pointer leads to, 0 where there is none.
pub(super) fn real(summary: &Value, key: &str) -> f64 {
    summary.pointer(key).and_then(Value::as_f64).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_text() {
        let name = "</script><img src=x onerror=\"alert('1')\">&\u{202e}\u{0}";
        let safe = escaped(name);
        assert!(!safe.contains(['<', '>', '"', '\'', '\u{202e}', '\u{0}']), "{safe}");
        assert!(safe.starts_with("&lt;/script&gt;&lt;img src=x onerror=&quot;alert(&#39;1"), "{safe}");
    }

    #[test]
    fn what_is_between_backticks_is_code() {
        assert_eq!(prose("`a<b` waits"), "<code>a&lt;b</code> waits", "at the beginning");
        assert_eq!(prose("one ` alone"), "one <code> alone</code>", "closed");
        assert_eq!(prose("none"), "none", "as it is");
    }

    #[test]
    fn numbers_say_which_they_are() {
        let summary = serde_json::json!({ "wait_time": { "p95": 11520 }, "utilization": 0.7371 });
        let shown = number(&summary, "/wait_time/p95", Form::Of(Unit::Seconds));
        assert_eq!(
            shown,
            "<data value=\"11520\" data-key=\"/wait_time/p95\" data-form=\"seconds\">3h12m</data>"
        );
        assert!(number(&summary, "/utilization", Form::Of(Unit::Share)).contains(">73.7%<"), "a share");
        assert_eq!(number(&summary, "/power/peak_w", Form::Of(Unit::Watts)), "–", "not counted");
        assert_eq!(Form::Hours.shown(2888.34), "2,888.3", "below ten thousand");
        assert_eq!(Form::Hours.shown(28_883.4), "28,883", "above");
    }
}

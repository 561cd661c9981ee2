//! A policy in one line, as `--policy` takes it and tables tell it: parts in their order, and everything else by its name.

use super::part::{Kind, options_of};
use crate::history::Settings;

/// The pieces of a text between those `/` that stand in no parentheses, brackets, braces or quotes: there they divide.
pub fn segments(text: &str) -> impl Iterator<Item = &str> {
    split_outside(text, '/')
}

/// The pieces of a text between those `divider` that stand in no parentheses, brackets, braces or quotes: there they belong to a
/// function, a list, a table or a text. A quote that nothing closes is a letter as others.
pub fn split_outside(text: &str, divider: char) -> impl Iterator<Item = &str> {
    let (mut open, mut at, mut quote) = (0_usize, 0_usize, None);
    text.split(move |letter: char| {
        at += letter.len_utf8();
        match (quote, letter) {
            (Some(own), _) => quote = quote.filter(|_| own != letter),
            (None, '"' | '\'') if text[at..].contains(letter) => quote = Some(letter),
            (None, '(' | '[' | '{') => open += 1,
            (None, ')' | ']' | '}') => open = open.saturating_sub(1),
            _ => {}
        }
        letter == divider && open == 0 && quote.is_none()
    })
}

impl Settings {
    /// The policy by the names of its parts: order/backfill/placement, and of everything else what is not usual.
    ///
    /// ```
    /// use gigawatt::history::Settings;
    /// let settings = Settings::named("fifo", "easy", "pack");
    /// assert_eq!(settings.policy(), "fifo/easy/pack");
    /// let steers = Settings { power: "steer".to_owned(), power_period: 600, ..settings };
    /// assert_eq!(steers.policy(), "fifo/easy/pack/power=steer/power_period=10m");
    /// ```
    #[must_use]
    pub fn policy(&self) -> String {
        let is_one = segments(&self.order).count() == 1;
        let order = if is_one { self.order.clone() } else { format!("({})", self.order) };
        let mut text = format!("{order}/{}/{}", self.backfill, self.placement);
        let usual = Self { order: self.order.clone(), ..Self::named("", "", "") };
        for kind in [Kind::Hold, Kind::Power, Kind::Curtail, Kind::Preemption] {
            let name = kind.of(self);
            if name != kind.of(&usual) && !name.is_empty() {
                text.push_str(&format!("/{}={name}", kind.name()));
            }
        }
        for option in options_of(self) {
            let value = option.show(self);
            if value != option.show(&usual) {
                text.push_str(&format!("/{}={value}", option.name));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_where_it_does_not_divide() {
        let pieces: Vec<&str> = segments("(wait / gpus)/easy//(a").collect();
        assert_eq!(pieces, ["(wait / gpus)", "easy", "", "(a"], "at each `/` outside of parentheses");
        let values: Vec<&str> = split_outside("max(wait, 60) - gpus, sjf", ',').collect();
        assert_eq!(values, ["max(wait, 60) - gpus", " sjf"], "at each `,` outside of parentheses");
        for (text, expected) in [
            ("[1, 2],[3]", vec!["[1, 2]", "[3]"]),
            ("{ h100 = 4, h200 = 8 },16", vec!["{ h100 = 4, h200 = 8 }", "16"]),
            ("\"a,b\",'c,d',e", vec!["\"a,b\"", "'c,d'", "e"]),
            ("[[\"]\", 1], 2],x", vec!["[[\"]\", 1], 2]", "x"]),
            ("it's,é", vec!["it's", "é"]),
        ] {
            assert_eq!(split_outside(text, ',').collect::<Vec<_>>(), expected, "{text}");
        }
    }
}

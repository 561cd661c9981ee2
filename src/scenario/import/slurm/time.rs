use crate::trace::clock;

/// Seconds of a time as Slurm's files have them: minutes, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`,
/// `days-hours:minutes` or `days-hours:minutes:seconds`; none if it is none, or unlimited.
pub(super) fn seconds(text: &str) -> Option<u32> {
    let colons = text.matches(':').count();
    let whole = match (text.contains('-'), colons) {
        (true, 0) => format!("{text}:00:00"),
        (true, 1) | (false, 0) => format!("{text}:00"),
        _ => text.to_owned(),
    };
    clock(whole.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_read_in_every_form() {
        for (text, expected) in [
            ("5", Some(300)),
            ("5:30", Some(330)),
            ("01:00:00", Some(3600)),
            ("7-0", Some(604_800)),
            ("1-12", Some(129_600)),
            ("1-12:30", Some(131_400)),
            ("7-00:00:00", Some(604_800)),
            ("0", Some(0)),
            ("UNLIMITED", None),
            ("", None),
            ("-1", None),
            ("1:2:3:4", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}

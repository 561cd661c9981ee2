/// A text that is checked once for being UTF-8, so that its parts need not be, one by one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checked<'a> {
    bytes: &'a [u8],
    /// The same, if it is UTF-8.
    text: Option<&'a str>,
}

impl<'a> Checked<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, text: simdutf8::basic::from_utf8(bytes).ok() }
    }
    /// These bytes as text, if they are UTF-8; those that are no part of this text are checked by themselves.
    #[inline]
    pub(super) fn part<'p>(&self, bytes: &'p [u8]) -> Option<&'p str>
    where
        'a: 'p,
    {
        let start = bytes.as_ptr().addr().wrapping_sub(self.bytes.as_ptr().addr());
        let part = self.text.and_then(|text| text.get(start..start.checked_add(bytes.len())?));
        part.or_else(|| std::str::from_utf8(bytes).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_text_where_they_are_utf_8() {
        let whole = "caf\u{e9},tee".as_bytes();
        let checked = Checked::new(whole);
        assert_eq!(checked.part(&whole[..5]), Some("caf\u{e9}"), "a part");
        assert_eq!((checked.part(&whole[..4]), checked.part(&whole[4..])), (None, None), "half a letter");
        assert_eq!((checked.part(&whole[9..]), checked.part(b"")), (Some(""), Some("")), "nothing");
        assert_eq!(
            (checked.part(b"elsewhere"), checked.part(b"\xff")),
            (Some("elsewhere"), None),
            "not in it"
        );
        let latin = Checked::new(b"caf\xe9,tee");
        assert_eq!(
            (latin.part(&latin.bytes[..4]), latin.part(&latin.bytes[5..])),
            (None, Some("tee")),
            "Latin 1"
        );
    }
}

/// What jobs are called: their row numbers from 1, or texts kept in one buffer.
///
/// ```
/// use gigawatt::workload::Names;
/// let mut names = Names::default();
/// names.push_number();
/// names.push("eval-7");
/// assert_eq!((names.get(0).as_ref(), names.get(1).as_ref()), ("1", "eval-7"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    count: usize,
    /// Empty while every name so far is its row number.
    ends: Vec<u32>,
    text: String,
}

impl Names {
    /// Calls the next job by its row number.
    pub fn push_number(&mut self) {
        self.count += 1;
        if !self.ends.is_empty() {
            self.push_text(&self.count.to_string());
        }
    }

    /// Calls the next job `name`.
    pub fn push(&mut self, name: &str) {
        self.count += 1;
        if self.ends.is_empty() {
            let mut digits = itoa::Buffer::new();
            if digits.format(self.count) == name {
                return;
            }
            for earlier in 1..self.count {
                self.push_text(digits.format(earlier));
            }
        }
        self.push_text(name);
    }

    fn push_text(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.push(u32::try_from(self.text.len()).expect("names of a workload take less than 4 GiB"));
    }

    /// The name of job `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> std::borrow::Cow<'_, str> {
        if self.ends.is_empty() {
            return (index + 1).to_string().into();
        }
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        self.text[start..self.ends[index] as usize].into()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
    /// Whether every name is its row number, so that none is stored.
    #[must_use]
    pub const fn are_numbers(&self) -> bool {
        self.ends.is_empty()
    }
    /// The buffer of texts and where each ends, for writing them to a file.
    #[must_use]
    pub fn parts(&self) -> (usize, &[u32], &str) {
        (self.count, &self.ends, &self.text)
    }
    /// The inverse of [`Names::parts`]; `None` if the parts do not belong together.
    #[must_use]
    pub fn from_parts(count: usize, ends: Vec<u32>, text: String) -> Option<Self> {
        let fits = ends.is_empty() && text.is_empty()
            || ends.len() == count
                && ends.is_sorted()
                && ends.iter().all(|end| text.is_char_boundary(*end as usize))
                && ends.last().is_some_and(|end| *end as usize == text.len());
        fits.then_some(Self { count, ends, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_cost_nothing_until_a_name_comes() {
        let mut names = Names::default();
        for number in 1..=1000 {
            names.push(&number.to_string());
        }
        assert!(names.are_numbers(), "row numbers are not stored");
        names.push("x");
        assert_eq!(names.get(998), "999", "an earlier number");
        assert_eq!(names.get(1000), "x", "the name");
        let (count, ends, text) = names.parts();
        assert_eq!(Names::from_parts(count, ends.to_vec(), text.to_owned()), Some(names.clone()), "parts");
        assert_eq!(Names::from_parts(count, vec![5], "xx".into()), None, "parts that do not fit");
    }
}

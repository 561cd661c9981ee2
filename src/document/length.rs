use super::{Item, Placed};
use crate::error::Problem;
use crate::units::Seconds;

/// A length of time as it is written: `45m`, or a distribution such as `{ lognormal = "2h", sigma = 1.2 }`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Length {
    /// Always so long.
    Fixed(Placed<Seconds>),
    /// From the first to the second, which is no less.
    Uniform(Placed<Seconds>, Placed<Seconds>),
    /// Of that mean.
    Exponential(Placed<Seconds>),
    /// Of that mean, and the standard deviation of the logarithm.
    Lognormal(Placed<Seconds>, f64),
}

impl Length {
    /// The length that an item is; none, which is then reported, if it is none. A lognormal one may spread up to `sigma_max`.
    ///
    /// ```
    /// use gigawatt::document::{Document, Length};
    /// let document = Document::parse("night.toml", "work = { exponential = \"6h\" }");
    /// let length = document.root().item("work").and_then(|item| Length::read(item, 3.0));
    /// assert!(matches!(length, Some(Length::Exponential(mean)) if mean.0 == 21_600));
    /// ```
    #[must_use]
    pub fn read(item: Item<'_>, sigma_max: f64) -> Option<Self> {
        if !item.is_table() {
            return item.read().map(Self::Fixed);
        }
        let mut table = item.table()?;
        let exponential = table.optional::<Seconds>("exponential");
        let lognormal = table.optional::<Seconds>("lognormal");
        let sigma = table.optional::<f64>("sigma");
        let uniform = table.list::<Seconds>("uniform");
        let given: Vec<&str> =
            ["exponential", "lognormal", "uniform"].into_iter().filter(|key| table.has(key)).collect();
        let (document, mark) = (table.document(), table.mark());
        let has_sigma = table.has("sigma");
        table.finish();
        let [only] = given[..] else {
            let problem = Problem::new("expected one of `exponential`, `lognormal` and `uniform`");
            let hint = "such as `{ lognormal = \"2h\", sigma = 1.2 }`, the mean and its spread";
            document.complain(mark, problem.hint(hint));
            return None;
        };
        if let Some(sigma) = sigma.as_ref().filter(|_| only != "lognormal") {
            let problem = Problem::new(format!("`sigma` beside `{only}`, which it says nothing of"));
            document.complain(sigma.mark, problem.hint("it is the spread of `lognormal`"));
            return None;
        }
        if only == "uniform" {
            return match &uniform[..] {
                [least, most] if least.value <= most.value => Some(Self::Uniform(*least, *most)),
                _ => {
                    let message = "`uniform`: expected the least and the most, such as `[\"10m\", \"2h\"]`";
                    document.complain(mark, Problem::new(message));
                    None
                }
            };
        }
        let (Some(mean), "lognormal") = (lognormal, only) else { return exponential.map(Self::Exponential) };
        match sigma {
            Some(sigma) if (0.0..=sigma_max).contains(&sigma.value) => {
                Some(Self::Lognormal(mean, sigma.value))
            }
            // One that is no number was reported.
            None if has_sigma => None,
            sigma => {
                let message = format!("`sigma`: expected the spread of the logarithm, from 0 to {sigma_max}");
                document.complain(sigma.map_or(mark, |sigma| sigma.mark), Problem::new(message));
                None
            }
        }
    }
}

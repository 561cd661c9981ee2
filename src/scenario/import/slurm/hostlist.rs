/// The most names that an expression may stand for.
const MOST: usize = 1 << 20;

/// The names that an expression such as `a[01-03,7],b[0-1]x[0-1],login` stands for; none if it is none, or stands for more than a
/// million.
///
/// Numbers are written as wide as the first of a range.
pub(super) fn names(expression: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for piece in pieces(expression)? {
        let mut names = vec![String::new()];
        let mut rest = piece;
        while let Some((before, after)) = rest.split_once('[') {
            let (inside, behind) = after.split_once(']')?;
            let numbers = numbers(inside)?;
            if names.len().saturating_mul(numbers.len()) > MOST {
                return None;
            }
            // The last brackets count fastest.
            let with = |name: &String| {
                numbers.iter().map(|number| format!("{name}{before}{number}")).collect::<Vec<_>>()
            };
            names = names.iter().flat_map(with).collect();
            rest = behind;
        }
        if rest.contains(']') {
            return None;
        }
        names.iter_mut().for_each(|name| name.push_str(rest));
        all.append(&mut names);
        if all.len() > MOST {
            return None;
        }
    }
    Some(all)
}

/// The parts between commas that stand in no brackets.
fn pieces(expression: &str) -> Option<Vec<&str>> {
    let (mut is_inside, mut from, mut found) = (false, 0, Vec::new());
    for (at, letter) in expression.char_indices() {
        match letter {
            '[' if !is_inside => is_inside = true,
            ']' if is_inside => is_inside = false,
            '[' | ']' => return None,
            ',' if !is_inside => {
                found.push(&expression[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&expression[from..]);
    found.retain(|piece| !piece.is_empty());
    (!is_inside).then_some(found)
}

fn numbers(inside: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for range in inside.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let width = first.len();
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (from, to): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        if !is_number(first)
            || !is_number(last)
            || from > to
            || to - from >= MOST as u64
            || found.len() > MOST
        {
            return None;
        }
        found.extend((from..=to).map(|number| format!("{number:0width$}")));
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn expressions_stand_for_names() {
        for (expression, expected) in [
            ("a", "a"),
            ("a,b", "a b"),
            ("a[1-3]", "a1 a2 a3"),
            ("a[08-11,2]", "a08 a09 a10 a11 a2"),
            ("r[1-2]n[0-1]-ib", "r1n0-ib r1n1-ib r2n0-ib r2n1-ib"),
            ("a[1,2],b,c[5]", "a1 a2 b c5"),
            ("", ""),
        ] {
            let found = names(expression).map(|names| names.join(" "));
            assert_eq!(found.as_deref(), Some(expected), "{expression}");
        }
    }

    #[test]
    fn what_is_no_expression_stands_for_nothing() {
        for wrong in [
            "a[",
            "a]",
            "a[1-",
            "a[]",
            "a[3-1]",
            "a[x]",
            "a[1-99999999]",
            "a[[1]]",
            "a[0-999999]b[0-9]",
            "a[+1-2]",
        ] {
            assert_eq!(names(wrong), None, "{wrong}");
        }
    }
}

//! Whether the citations of an answer lead anywhere.

/// The citations of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Citations {
    /// The cited sources, counted from 1, each once, in their order.
    pub cited: Vec<usize>,
    /// Numbers that no source has.
    pub unknown: Vec<usize>,
}

/// Finds every `[1]` and `[2, 3]` of an answer made from `sources` sources.
pub(crate) fn check(answer: &str, sources: usize) -> Citations {
    let mut found = Citations::default();
    for part in answer.split('[').skip(1) {
        let Some((inside, _)) = part.split_once(']') else { continue };
        let numbers: Result<Vec<usize>, _> = inside.split(',').map(|number| number.trim().parse()).collect();
        for number in numbers.unwrap_or_default() {
            let known = (1..=sources).contains(&number);
            let list = if known { &mut found.cited } else { &mut found.unknown };
            if !list.contains(&number) {
                list.push(number);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn citations_are_found_once_and_those_of_no_source_apart() {
        let found = check("One [2]. Two [1, 2] three [7]. [x] [`Records`] [3", 3);
        assert_eq!(found, Citations { cited: vec![2, 1], unknown: vec![7] });
        assert_eq!(check("nothing", 3), Citations::default());
    }
}

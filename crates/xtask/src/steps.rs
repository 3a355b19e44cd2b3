//! Steps: run one after the other, each with a heading and its time, and a summary at the end.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StepOutcome {
    Passed,
    /// What is wrong, in a few words; the command has printed the rest.
    Failed(String),
    /// Why it could not be run here.
    Skipped(String),
}

/// Something to run.
pub(crate) struct Step {
    /// The name by which it is chosen.
    pub(crate) name: &'static str,
    /// What it does, for its heading.
    pub(crate) title: &'static str,
    pub(crate) run: fn() -> StepOutcome,
}

/// Runs the steps and prints the summary; true if none failed.
pub(crate) fn run(steps: &[&Step], fail_fast: bool) -> bool {
    let style = Style::detect();
    let started = Instant::now();
    let mut results: Vec<(&Step, StepOutcome, Duration)> = Vec::new();

    for (number, step) in steps.iter().enumerate() {
        println!(
            "\n{}━━ {}/{} {} · {}{}",
            style.bold,
            number + 1,
            steps.len(),
            step.name,
            step.title,
            style.reset
        );
        flush();
        let begun = Instant::now();
        let outcome = (step.run)();
        let took = begun.elapsed();
        println!("{} {} in {}", style.mark(&outcome), step.name, seconds(took));
        if let StepOutcome::Failed(why) | StepOutcome::Skipped(why) = &outcome {
            println!("  {why}");
        }
        flush();
        let failed = matches!(outcome, StepOutcome::Failed(_));
        results.push((step, outcome, took));
        if failed && fail_fast {
            break;
        }
    }

    println!("\n{}━━ summary{}", style.bold, style.reset);
    for (step, outcome, took) in &results {
        let why = match outcome {
            StepOutcome::Passed => "",
            StepOutcome::Failed(why) | StepOutcome::Skipped(why) => why,
        };
        println!("{} {:<8} {:>7}  {why}", style.mark(outcome), step.name, seconds(*took));
    }
    for step in &steps[results.len()..] {
        println!("- {:<8} {:>7}  not run", step.name, "");
    }
    println!("{} in all", seconds(started.elapsed()));

    let count = |test: fn(&StepOutcome) -> bool| {
        results.iter().filter(|(_, outcome, _)| test(outcome)).count()
    };
    let failed = count(|outcome| matches!(outcome, StepOutcome::Failed(_)));
    let skipped =
        count(|outcome| matches!(outcome, StepOutcome::Skipped(_))) + steps.len() - results.len();
    println!(
        "steps: {} passed, {failed} failed, {skipped} skipped",
        count(|outcome| matches!(outcome, StepOutcome::Passed)),
    );
    flush();
    failed == 0
}

/// The steps whose names are given, in their own order; all of them if none is named.
pub(crate) fn choose<'a>(all: &'a [Step], names: &[String]) -> Result<Vec<&'a Step>, String> {
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|step| step.name != **name)) {
        let known: Vec<&str> = all.iter().map(|step| step.name).collect();
        return Err(format!("there is no step {unknown:?}; the steps are {}", known.join(", ")));
    }
    Ok(all.iter().filter(|step| names.is_empty() || names.iter().any(|n| n == step.name)).collect())
}

/// `12.3 s`, `4 min 05 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let all = duration.as_secs();
    if all < 120 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", all / 60, all % 60)
    }
}

/// What we print must stand before what the next child prints, also in a file.
fn flush() {
    // A closed pipe shows soon enough in what follows.
    let _ = std::io::stdout().flush();
}

struct Style {
    bold: &'static str,
    green: &'static str,
    red: &'static str,
    yellow: &'static str,
    reset: &'static str,
}

impl Style {
    /// Colours on a terminal that has not been asked to do without (<https://no-color.org>).
    fn detect() -> Self {
        if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
            Self {
                bold: "\x1b[1m",
                green: "\x1b[32m",
                red: "\x1b[31m",
                yellow: "\x1b[33m",
                reset: "\x1b[0m",
            }
        } else {
            Self { bold: "", green: "", red: "", yellow: "", reset: "" }
        }
    }

    fn mark(&self, outcome: &StepOutcome) -> String {
        let (colour, mark) = match outcome {
            StepOutcome::Passed => (self.green, "✓"),
            StepOutcome::Failed(_) => (self.red, "✗"),
            StepOutcome::Skipped(_) => (self.yellow, "-"),
        };
        format!("{colour}{mark}{}", self.reset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [Step; 3] = [
        Step { name: "good", title: "", run: || StepOutcome::Passed },
        Step { name: "bad", title: "", run: || StepOutcome::Failed("why".to_owned()) },
        Step { name: "absent", title: "", run: || StepOutcome::Skipped("why".to_owned()) },
    ];

    fn names(chosen: &[&Step]) -> Vec<&'static str> {
        chosen.iter().map(|step| step.name).collect()
    }

    #[test]
    fn steps_are_chosen_by_name_and_keep_their_order() {
        let all = choose(&STEPS, &[]).expect("no name means all");
        assert_eq!(names(&all), ["good", "bad", "absent"]);
        let two = choose(&STEPS, &["absent".to_owned(), "good".to_owned()]).expect("both exist");
        assert_eq!(names(&two), ["good", "absent"]);
        let error = choose(&STEPS, &["nothing".to_owned()]).err().expect("no such step");
        assert!(error.contains("nothing") && error.contains("absent"), "{error}");
    }

    #[test]
    fn a_failed_step_fails_the_run_and_a_skipped_one_does_not() {
        let [good, bad, absent] = &STEPS;
        assert!(run(&[good, absent], false));
        assert!(!run(&[bad, good], false));
        assert!(!run(&[bad, good], true));
    }
}

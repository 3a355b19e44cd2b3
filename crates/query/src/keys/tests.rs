use taiinet_document::parse_map;

use super::*;

fn at(path: &str, document: &str) -> IndexKeys {
    keys(&path.parse().expect("a path"), &parse_map(document).expect("JSON"))
}

fn key(json: &str) -> Vec<u8> {
    let mut key = Vec::new();
    encoding::append(&Value::from_json(json).expect("JSON"), &mut key);
    key
}

#[test]
fn a_document_stands_under_its_values() {
    // path, document, values, whether there are several
    let rows: [(&str, &str, &[&str], bool); 17] = [
        ("a", r#"{"a": 5}"#, &["5"], false),
        ("a", r#"{"a": null}"#, &["null"], false),
        ("a", "{}", &["null"], false),
        ("a", r#"{"a": [2, 1, 2.0]}"#, &["1", "2", "[2,1,2]"], true),
        ("a", r#"{"a": [[1]]}"#, &["[1]", "[[1]]"], true),
        ("a", r#"{"a": []}"#, &["[]"], true),
        ("a", r#"{"a": {"b": 1}}"#, &[r#"{"b": 1}"#], false),
        ("a.b", r#"{"a": {"b": 1}}"#, &["1"], false),
        ("a.b", r#"{"a": 1}"#, &["null"], false),
        ("a.b", r#"{"a": [{"b": 1}]}"#, &["1"], false),
        ("a.b", r#"{"a": [{"b": 1}, {"b": "x"}]}"#, &["1", "\"x\""], true),
        ("a.b", r#"{"a": [{"b": 1}, {}]}"#, &["null", "1"], true),
        ("a.b", r#"{"a": []}"#, &["null"], false),
        // As MongoDB has it, though queries do not ask for these.
        ("a.b", r#"{"a": [{"b": 1}, 3]}"#, &["null", "1"], true),
        ("a.b", r#"{"a": [[{"b": 1}]]}"#, &["null"], false),
        ("a.0", r#"{"a": [1, 2]}"#, &["1"], false),
        ("a.0", r#"{"a": [[1, 2]]}"#, &["1", "2", "[1,2]"], true),
    ];
    for (path, document, values, is_list) in rows {
        let several = is_list.then(|| IndexKeys::SEVERAL.to_vec());
        let keys = values.iter().map(|value| key(value)).chain(several).collect();
        let expected = IndexKeys { keys, is_list, overflow: false };
        assert_eq!(at(path, document), expected, "{path} of {document}");
    }
}

#[test]
fn a_document_has_a_bounded_number_of_keys() {
    let list = |length: usize| {
        let numbers: Vec<String> = (0..length).map(|n| n.to_string()).collect();
        at("a", &format!(r#"{{"a": [{}]}}"#, numbers.join(",")))
    };
    // Besides the elements, the list itself and that there are several.
    let most = list(INDEX_KEYS - 2);
    assert!(!most.overflow && most.keys.len() == INDEX_KEYS);
    let overflow =
        IndexKeys { keys: vec![IndexKeys::OVERFLOW.to_vec()], is_list: true, overflow: true };
    assert_eq!(list(INDEX_KEYS - 1), overflow);
    assert_eq!(list(10_000), overflow);
    assert!(at("a", &format!(r#"{{"a": "{}"}}"#, "x".repeat(10_000))).keys[0].len() <= 96);
}

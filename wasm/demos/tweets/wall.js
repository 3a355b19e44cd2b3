// What is known of the tweets: which versions of each there are, and which of them counts.
//
// A tweet is named `<PeerId of its author>/<a random part>`. Only what its author signed says what its
// text is. A like is a new version with one like more, which any peer may publish: it counts for the
// likes alone, and shows the text only until the author's own version comes.

/** More than anyone reads; beyond it the oldest are forgotten. */
const TWEETS = 200;
const LIKES = 1_000_000;

export class Wall {
  #tweets = new Map();

  clear() {
    this.#tweets.clear();
  }

  /** Takes a document; gives the tweet if it says anything new. */
  take({ data, author, id, createdAt, hops }) {
    const version = read(data);
    if (!version) return null;
    const name = typeof data.tweet === "string" && data.tweet.length <= 120 ? data.tweet : `${author}/${id}`;
    const own = name.startsWith(`${author}/`);

    let tweet = this.#tweets.get(name);
    if (!tweet) {
      tweet = { name, author: name.split("/", 1)[0], own: false, at: 0, likes: -1 };
      this.#tweets.set(name, tweet);
      this.#forget();
    }
    let news = version.likes > tweet.likes;
    tweet.likes = Math.max(tweet.likes, version.likes);
    // The author's first version says when it was written; others' are but hearsay.
    if (own || !tweet.own) {
      const first = own && !tweet.own;
      news ||= first || version.text !== tweet.text;
      tweet.at = own && tweet.own ? Math.min(tweet.at, createdAt) : createdAt;
      Object.assign(tweet, { by: version.name, text: version.text, own: own || tweet.own, hops });
      if (!own) tweet.quotedBy = author;
    }
    return news ? tweet : null;
  }

  /** A document is gone. What its author takes back, or what was but quoted, is shown no more; whether it was. */
  drop({ author, id, key }) {
    const name = key ?? `${author}/${id}`;
    const tweet = this.#tweets.get(name);
    const shows = tweet && (tweet.own ? name.startsWith(`${author}/`) : tweet.quotedBy === author);
    return Boolean(shows) && this.#tweets.delete(name);
  }

  /** The newest first. */
  list() {
    return [...this.#tweets.values()].sort((one, other) => other.at - one.at);
  }

  #forget() {
    if (this.#tweets.size <= TWEETS) return;
    const [oldest] = [...this.#tweets.values()].sort((one, other) => one.at - other.at);
    this.#tweets.delete(oldest.name);
  }
}

/** The fields of a tweet, within bounds; null if it is none. Any peer can publish anything. */
function read(data) {
  const { text, name, likes } = data ?? {};
  if (typeof text !== "string" || text.trim() === "") return null;
  return {
    text: text.slice(0, 280),
    name: typeof name === "string" && name.trim() ? name.trim().slice(0, 40) : "anonymous",
    likes: Number.isFinite(likes) ? Math.min(Math.max(Math.trunc(likes), 0), LIKES) : 0,
  };
}

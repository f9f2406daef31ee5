// Package libraries has tests of other people's libraries in tasks, against real servers: pgx with
// PostgreSQL, go-redis with Redis. They show which parts a task may call directly, which belong in
// runtime.Offload, and what happens when that is not done; docs/guide.md tells it. A test whose server is not
// installed is skipped, and says so; with WEFT_REQUIRE_PEERS=1 it fails.
package libraries

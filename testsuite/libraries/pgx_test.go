package libraries

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/pgdial"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// pgConfig is what a task needs to connect to the tests' PostgreSQL, by its socket.
func pgConfig(t *testing.T) *pgx.ConnConfig {
	t.Helper()
	need(t, postgresLocal, "PostgreSQL's server")
	return pgConfigOf(t, postgresLocal)
}

func pgConfigOf(t *testing.T, server string) *pgx.ConnConfig {
	t.Helper()
	config, err := pgx.ParseConfig(server)
	if err != nil {
		t.Fatal(err)
	}
	pgdial.Configure(&config.Config)
	return config
}

// plainAndTLS runs a test by PostgreSQL's socket, and by TCP with TLS and a password.
func plainAndTLS(t *testing.T, test func(t *testing.T, config *pgx.ConnConfig)) {
	need(t, postgresLocal, "PostgreSQL's server")
	t.Run("plain", func(t *testing.T) { test(t, pgConfigOf(t, postgresLocal)) })
	t.Run("TLS", func(t *testing.T) { test(t, pgConfigOf(t, postgresTLS)) })
}

// connect connects, and closes when the test's task ends.
func connect(t *testing.T, config *pgx.ConnConfig) (*pgx.Conn, func()) {
	t.Helper()
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	return conn, func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// execute is conn.Exec that fails the test.
func execute(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql, args...); err != nil {
		t.Errorf("%s: %v", sql, err)
	}
}

// backends waits until n sessions of the server wait for time or a lock within that statement. (One that is only
// about to run it would not heed a request to cancel it.)
func backends(t *testing.T, conn *pgx.Conn, n int, sql string) {
	t.Helper()
	runtimetest.Eventually(t, fmt.Sprintf("%d sessions in %q", n, sql), func() bool {
		var count int
		err := conn.QueryRow(context.Background(), "select count(*) from pg_stat_activity where wait_event_type in ('Timeout', 'Lock') and query = $1", sql).Scan(&count)
		if err != nil {
			t.Fatal(err)
		}
		return count == n
	})
}

// TestPgxTasks: many tasks, each with a connection of its own, query at once, on one worker. All wait in the
// server for a lock that another task of the worker has, and gives up when they all do.
func TestPgxTasks(t *testing.T) {
	plainAndTLS(t, func(t *testing.T, config *pgx.ConnConfig) {
		direct(t, func() {
			const tasks, wait = 30, "select pg_advisory_lock_shared(1)"
			ctx := context.Background()
			keeper, end := connect(t, config)
			defer end()
			execute(t, keeper, "select pg_advisory_lock(1)")
			released := runtime.Spawn(func() {
				backends(t, keeper, tasks, wait)
				execute(t, keeper, "select pg_advisory_unlock(1)")
			})
			together(t, tasks, func(i int) error {
				conn, err := pgx.ConnectConfig(ctx, config)
				if err != nil {
					return err
				}
				defer conn.Close(ctx)
				if _, err := conn.Exec(ctx, wait); err != nil {
					return err
				}
				rows, err := conn.Query(ctx, "select n, n * $1::int from generate_series(1, 100) n", i)
				if err != nil {
					return err
				}
				sum, n, product := 0, 0, 0
				if _, err := pgx.ForEachRow(rows, []any{&n, &product}, func() error {
					sum += product
					return nil
				}); err != nil || sum != i*5050 {
					return fmt.Errorf("task %d: %d, %v", i, sum, err)
				}
				return nil
			})
			_ = released.Join()
		})
	})
}

// patience is longer than that of pgx with a write.
const patience = 100 * time.Millisecond

// slowWrite is a batch that takes long to write, as the server waits for a lock before it reads on, and then to
// answer, as it waits for another.
func slowWrite() *pgx.Batch {
	batch := &pgx.Batch{}
	batch.Queue("select pg_advisory_xact_lock(2)")
	for range 4 {
		batch.Queue("select length($1::bytea)", make([]byte, 1<<20))
	}
	batch.Queue("select pg_advisory_xact_lock(3)")
	return batch
}

// release gives up a lock when somebody waits for it, unless ctx is done before.
func release(t *testing.T, ctx context.Context, keeper *pgx.Conn, lock int) {
	t.Helper()
	runtimetest.Eventually(t, "somebody waits for the lock", func() bool {
		var waiting bool
		err := keeper.QueryRow(ctx, "select exists(select from pg_locks where locktype = 'advisory' and objid = $1 and not granted)", lock).Scan(&waiting)
		return waiting || err != nil
	})
	if ctx.Err() == nil {
		execute(t, keeper, "select pg_advisory_unlock($1)", lock)
	}
}

// TestPgxSlowWrite: with our dialer a task that writes for long, and then waits, holds nobody up.
func TestPgxSlowWrite(t *testing.T) {
	plainAndTLS(t, func(t *testing.T, config *pgx.ConnConfig) {
		direct(t, func() {
			keeper, end := connect(t, config)
			defer end()
			conn, end := connect(t, config)
			defer end()
			execute(t, keeper, "select pg_advisory_lock(2), pg_advisory_lock(3)")
			released := runtime.Spawn(func() {
				runtime.Sleep(patience)
				release(t, context.Background(), keeper, 2)
				release(t, context.Background(), keeper, 3)
			})
			if err := conn.SendBatch(context.Background(), slowWrite()).Close(); err != nil {
				t.Error(err)
			}
			_ = released.Join()
		})
	})
}

// TestPgxPlainDialer is why there is pgdial: with a plain connection the same batch blocks the worker in a
// sync.Cond, and the task that would release the second lock never runs. What ends it is the context, from
// outside. On a busy machine already the connect may block it.
func TestPgxPlainDialer(t *testing.T) {
	config := pgConfig(t)
	plain, err := pgx.ParseConfig(postgresLocal)
	if err != nil {
		t.Fatal(err)
	}
	plain.DialFunc = new(net.Dialer).DialContext
	runtimetest.Run(t, 1, func() {
		keeper, end := connect(t, config)
		defer end()
		execute(t, keeper, "select pg_advisory_lock(2), pg_advisory_lock(3)")
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		go func() {
			defer cancel()
			stuck(t, "sync.Cond.Wait", "bgreader.(*BGReader).Read")
		}()
		released := runtime.Spawn(func() {
			runtime.Sleep(patience)
			release(t, ctx, keeper, 2)
		})
		conn, err := pgx.ConnectConfig(ctx, plain)
		if err == nil {
			err = conn.SendBatch(ctx, slowWrite()).Close()
			_ = conn.Close(ctx)
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the batch: %v", err)
		}
		_ = released.Join()
	})
}

// TestPgxLargeBatch: a task writes more than the kernel keeps, to a server that writes as much meanwhile.
func TestPgxLargeBatch(t *testing.T) {
	plainAndTLS(t, func(t *testing.T, config *pgx.ConnConfig) {
		direct(t, func() {
			conn, end := connect(t, config)
			defer end()
			parameter := bytes.Repeat([]byte("0123456789abcdef"), 1<<17)
			batch := &pgx.Batch{}
			for range 4 {
				batch.Queue("select $1::bytea", parameter)
			}
			results := conn.SendBatch(context.Background(), batch)
			for range 4 {
				var got []byte
				if err := results.QueryRow().Scan(&got); err != nil || !bytes.Equal(got, parameter) {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			}
			if err := results.Close(); err != nil {
				t.Error(err)
			}
		})
	})
}

// TestPgxEnds: a task that is killed, times out, or whose context ends in the middle of a query gets the
// error. The connection is closed, and the server stops the query.
func TestPgxEnds(t *testing.T) {
	plainAndTLS(t, func(t *testing.T, config *pgx.ConnConfig) {
		for _, test := range []struct {
			name string
			// end runs query in a task, calls running, makes the query end, and returns its error.
			end func(query func(ctx context.Context) error, running func()) error
			is  error
		}{
			{"kill", func(query func(context.Context) error, running func()) error {
				task := runtime.Async(func() (int, error) { return 0, query(context.Background()) })
				running()
				task.Kill(nil)
				return task.Join()
			}, runtime.ErrKilled},
			{"context", func(query func(context.Context) error, running func()) error {
				ctx, cancel := context.WithCancel(context.Background())
				task := runtime.Async(func() (int, error) { return 0, query(ctx) })
				running()
				cancel()
				return task.Join()
			}, context.Canceled},
			{"timeout", func(query func(context.Context) error, _ func()) error {
				return runtime.WithTimeout(100*time.Millisecond, func() error { return query(context.Background()) })
			}, context.DeadlineExceeded},
		} {
			t.Run(test.name, func(t *testing.T) {
				direct(t, func() {
					watcher, end := connect(t, config)
					defer end()
					conn, end := connect(t, config)
					defer end()
					query, running := "select pg_sleep($1) -- "+t.Name(), false
					err := test.end(func(ctx context.Context) error {
						_, err := conn.Exec(ctx, query, 3600)
						return err
					}, func() {
						backends(t, watcher, 1, query)
						running = true
					})
					if !errors.Is(err, test.is) {
						t.Errorf("the query: %v", err)
					}
					if !conn.IsClosed() {
						t.Error("the connection is still open")
					}
					if running {
						backends(t, watcher, 0, query)
					}
					_ = runtime.Offload(func() { <-conn.PgConn().CleanupDone() })
				})
			})
		}
	})
}

// TestPgxCopyFrom: COPY is for Offload, since pgx does it with goroutines and channels. It may be on a
// connection that the task otherwise uses directly.
func TestPgxCopyFrom(t *testing.T) {
	plainAndTLS(t, func(t *testing.T, config *pgx.ConnConfig) {
		direct(t, func() {
			ctx := context.Background()
			conn, end := connect(t, config)
			defer end()
			execute(t, conn, "create temporary table number (n int)")
			const rows = 50_000
			n, err := runtime.Await(func() (int64, error) {
				return conn.CopyFrom(ctx, pgx.Identifier{"number"}, []string{"n"}, pgx.CopyFromSlice(rows, func(i int) ([]any, error) { return []any{i}, nil }))
			})
			if n != rows || err != nil {
				t.Errorf("CopyFrom: %d, %v", n, err)
			}
			var sum int
			if err := conn.QueryRow(ctx, "select sum(n) from number").Scan(&sum); err != nil || sum != rows*(rows-1)/2 {
				t.Errorf("sum %d, %v", sum, err)
			}
		})
	})
}

// TestPgxNotify: a task waits for notifications while others of its worker run.
func TestPgxNotify(t *testing.T) {
	config := pgConfig(t)
	direct(t, func() {
		listener, end := connect(t, config)
		defer end()
		conn, end := connect(t, config)
		defer end()
		execute(t, listener, "listen news")
		heard := runtime.Async(func() (string, error) {
			n, err := listener.WaitForNotification(context.Background())
			if err != nil {
				return "", err
			}
			return n.Payload, nil
		})
		runtime.Yield()
		execute(t, conn, "select pg_notify('news', 'spring')")
		if got, err := heard.Get(); got != "spring" || err != nil {
			t.Errorf("heard %q, %v", got, err)
		}
	})
}

package libraries

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/weft-go/weft/net/pgdial"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/queue"
)

// TestPgxQueuePool: a queue of connections is a pool for tasks, all of it direct. Transactions keep a balance.
func TestPgxQueuePool(t *testing.T) {
	config := pgConfig(t)
	direct(t, func() {
		ctx := context.Background()
		pool := queue.New[*pgx.Conn](0)
		for range 5 {
			conn, end := connect(t, config)
			defer end()
			if err := pool.Put(conn); err != nil {
				t.Fatal(err)
			}
		}
		conn, end := connect(t, config)
		defer end()
		execute(t, conn, "create table account (id int primary key, money int not null)")
		defer execute(t, conn, "drop table account")
		execute(t, conn, "insert into account select n, 100 from generate_series(0, 9) n")
		together(t, 50, func(i int) error {
			conn, err := pool.Get()
			if err != nil {
				return err
			}
			defer pool.Put(conn)
			return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
				// Always the smaller one first, so that two never wait for each other.
				if _, err := tx.Exec(ctx, "update account set money = money - $2 where id = $1", i%5, i); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "update account set money = money + $2 where id = $1", 5+i%5, i)
				return err
			})
		})
		var sum, one int
		if err := conn.QueryRow(ctx, "select sum(money), max(money) from account").Scan(&sum, &one); err != nil || sum != 1000 || one != 100+4+9+14+19+24+29+34+39+44+49 {
			t.Errorf("sum %d, the largest %d, %v", sum, one, err)
		}
	})
}

// acquire takes a connection from pgx's own pool, which may wait for a channel. OffloadShielded, since one that
// comes after the task has been killed has to be released; the task's context ends the wait then.
func acquire(pool *pgxpool.Pool) (conn *pgxpool.Conn, err error) {
	ctx := runtime.Current().Context()
	if killed := runtime.OffloadShielded(func() { conn, err = pool.Acquire(ctx) }); killed != nil {
		if err == nil {
			conn.Release()
		}
		return nil, killed
	}
	return conn, err
}

// TestPgxPool: a connection of pgx's own pool is used by the task directly, and released.
func TestPgxPool(t *testing.T) {
	config, err := pgxpool.ParseConfig(pgConfig(t).ConnString())
	if err != nil {
		t.Fatal(err)
	}
	pgdial.Configure(&config.ConnConfig.Config)
	config.MaxConns = 3
	direct(t, func() {
		ctx := context.Background()
		pool, err := runtime.Await(func() (*pgxpool.Pool, error) { return pgxpool.NewWithConfig(ctx, config) })
		if err != nil {
			t.Fatal(err)
		}
		defer runtime.Offload(pool.Close)
		together(t, 30, func(i int) error {
			conn, err := acquire(pool)
			if err != nil {
				return err
			}
			defer conn.Release()
			var got int
			if err := conn.QueryRow(ctx, "select $1::int from pg_sleep(0.001)", i).Scan(&got); err != nil || got != i {
				return fmt.Errorf("%d, %v", got, err)
			}
			return nil
		})

		// While all are taken, some who wait are killed.
		var all []*pgxpool.Conn
		for range config.MaxConns {
			conn, err := acquire(pool)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, conn)
		}
		var late []*runtime.Task
		for range 5 {
			late = append(late, runtime.Spawn(func() {
				if conn, err := acquire(pool); err == nil {
					t.Error("acquired")
					conn.Release()
				}
			}))
		}
		runtime.Yield()
		if err := runtime.KillAllWait(nil, 0, late...); err != nil {
			t.Error(err)
		}
		for _, conn := range all {
			conn.Release()
		}
		if conn, err := acquire(pool); err != nil {
			t.Errorf("acquire afterwards: %v", err)
		} else {
			conn.Release()
		}
		if n := pool.Stat().AcquiredConns(); n != 0 {
			t.Errorf("%d connections are still acquired", n)
		}
	})
}

// TestPgxOffloaded: what acquires a connection by itself is offloaded as a whole: the pool's own methods, and
// database/sql.
func TestPgxOffloaded(t *testing.T) {
	config := pgConfig(t)
	direct(t, func() {
		ctx := context.Background()
		pool, err := runtime.Await(func() (*pgxpool.Pool, error) { return pgxpool.New(ctx, config.ConnString()) })
		if err != nil {
			t.Fatal(err)
		}
		defer runtime.Offload(pool.Close)
		db := stdlib.OpenDB(*config)
		db.SetMaxOpenConns(2)
		defer runtime.Offload(func() { _ = db.Close() })
		together(t, 20, func(i int) error {
			return runtime.OffloadShielded(func() {
				var first, second int
				if err := pool.QueryRow(ctx, "select $1::int", i).Scan(&first); err != nil || first != i {
					t.Errorf("pgxpool: %d, %v", first, err)
				}
				if err := db.QueryRowContext(ctx, "select $1::int", i).Scan(&second); err != nil || second != i {
					t.Errorf("database/sql: %d, %v", second, err)
				}
			})
		})
	})
}

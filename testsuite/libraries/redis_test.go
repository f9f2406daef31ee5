package libraries

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// redisClient is a client for tasks. It must be closed by closeRedis.
func redisClient(t *testing.T, poolSize int) *redis.Client {
	t.Helper()
	need(t, redisSocket, "redis-server")
	return redis.NewClient(&redis.Options{
		Network:    "unix",
		Addr:       redisSocket,
		Dialer:     new(net.Dialer).DialContext,
		PoolSize:   poolSize,
		MaxRetries: -1, // the pause before another attempt would block the worker
		Protocol:   2,  // with 3 it looks for other messages before each answer, and ignores an error then: a kill
	})
}

func closeRedis(t *testing.T, client *redis.Client) {
	t.Helper()
	if err := runtime.Offload(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Error(err)
	}
}

// redisConn takes a connection of its own for the calling task. Its first command may have to dial, which
// go-redis does on another goroutine while it waits for a channel: so that one goes through OffloadShielded, since
// the connection must not be closed meanwhile. Close gives it back.
func redisConn(ctx context.Context, client *redis.Client) (*redis.Conn, error) {
	conn := client.Conn()
	var failed error
	err := runtime.OffloadShielded(func() { failed = conn.Ping(ctx).Err() })
	if err = errors.Join(err, failed); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// waiting waits until so many clients of the server are blocked in a command.
func waiting(t *testing.T, conn *redis.Conn, n int) {
	t.Helper()
	runtimetest.Eventually(t, fmt.Sprintf("%d clients are blocked", n), func() bool {
		info, err := conn.Info(context.Background(), "clients").Result()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(info, fmt.Sprintf("blocked_clients:%d\r\n", n))
	})
}

// TestRedisConns: many tasks of one worker, each with a connection, use it directly: single commands,
// pipelines, transactions, and all at once commands that wait in the server until another task of the worker
// has done something.
func TestRedisConns(t *testing.T) {
	const tasks = 20
	client := redisClient(t, tasks+1)
	direct(t, func() {
		defer closeRedis(t, client)
		ctx := context.Background()
		feeder, err := redisConn(ctx, client)
		if err != nil {
			t.Fatal(err)
		}
		defer feeder.Close()
		if err := feeder.FlushAll(ctx).Err(); err != nil { // what an earlier test left
			t.Fatal(err)
		}
		fed := runtime.Spawn(func() {
			waiting(t, feeder, tasks)
			for range tasks {
				if err := feeder.LPush(ctx, "food", "apple").Err(); err != nil {
					t.Error(err)
				}
			}
		})
		together(t, tasks, func(i int) error {
			conn, err := redisConn(ctx, client)
			if err != nil {
				return err
			}
			defer conn.Close()
			key := fmt.Sprint("key", i)
			if _, err := conn.Pipelined(ctx, func(p redis.Pipeliner) error {
				for range 100 {
					p.Incr(ctx, key)
				}
				return nil
			}); err != nil {
				return err
			}
			if _, err := conn.TxPipelined(ctx, func(p redis.Pipeliner) error {
				p.IncrBy(ctx, key, 7)
				p.IncrBy(ctx, "all", 7)
				return nil
			}); err != nil {
				return err
			}
			if n, err := conn.Get(ctx, key).Int(); n != 107 || err != nil {
				return fmt.Errorf("%s: %d, %v", key, n, err)
			}
			food, err := conn.BLPop(ctx, 0, "food").Result()
			if err != nil || food[1] != "apple" {
				return fmt.Errorf("food: %q, %v", food, err)
			}
			return nil
		})
		_ = fed.Join()
		if n, err := feeder.Get(ctx, "all").Int(); n != 7*tasks || err != nil {
			t.Errorf("all: %d, %v", n, err)
		}
	})
}

// TestRedisClient: the methods of the client itself take a connection from its pool, and wait for channels. With
// Offload they hold nobody up, also when there are fewer connections than tasks.
func TestRedisClient(t *testing.T) {
	client := redisClient(t, 3)
	direct(t, func() {
		defer closeRedis(t, client)
		ctx := context.Background()
		if _, err := runtime.Await(func() (int64, error) { return client.Del(ctx, "count").Result() }); err != nil {
			t.Fatal(err)
		}
		together(t, 30, func(i int) error {
			for range 10 {
				if _, err := runtime.Await(func() (int64, error) { return client.Incr(ctx, "count").Result() }); err != nil {
					return err
				}
			}
			return nil
		})
		n, err := runtime.Await(func() (int, error) { return client.Get(ctx, "count").Int() })
		if n != 300 || err != nil {
			t.Errorf("count %d, %v", n, err)
		}
	})
}

// TestRedisClientDirect is why: a task that calls the client directly blocks its worker when the pool is empty.
// What ends it is the context, from outside; the task that has the connection could not give it back.
func TestRedisClientDirect(t *testing.T) {
	client := redisClient(t, 1)
	runtimetest.Run(t, 1, func() {
		defer closeRedis(t, client)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		conn, err := redisConn(ctx, client)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go func() {
			defer cancel()
			stuck(t, "select", "pool.(*ConnPool).waitTurn")
		}()
		if err := client.Get(ctx, "key").Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("Get: %v", err)
		}
	})
}

// TestRedisEnds: a task that is killed, or times out, in the middle of a command gets the error. The
// connection then fails at once, and goes when it is closed; the client dials another one.
func TestRedisEnds(t *testing.T) {
	client := redisClient(t, 5)
	direct(t, func() {
		defer closeRedis(t, client)
		ctx := context.Background()
		watcher, err := redisConn(ctx, client)
		if err != nil {
			t.Fatal(err)
		}
		defer watcher.Close()
		ends := func(name string, is error, end func(conn *redis.Conn) error) {
			conn, err := redisConn(ctx, client)
			if err != nil {
				t.Fatal(err)
			}
			if err := end(conn); !errors.Is(err, is) {
				t.Errorf("%s: %v", name, err)
			}
			if got, err := conn.Get(ctx, "key").Result(); err == nil || err == redis.Nil {
				t.Errorf("%s: the next command: %q, %v", name, got, err)
			}
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
			waiting(t, watcher, 0) // Redis has noticed
		}
		ends("kill", runtime.ErrKilled, func(conn *redis.Conn) error {
			task := runtime.Async(func() (any, error) { return conn.BLPop(ctx, 0, "nothing").Result() })
			waiting(t, watcher, 1)
			task.Kill(nil)
			return task.Join()
		})
		ends("timeout", context.DeadlineExceeded, func(conn *redis.Conn) error {
			return runtime.WithTimeout(50*time.Millisecond, func() error { return conn.BLPop(ctx, 0, "nothing").Err() })
		})
		if err := runtime.Offload(func() {
			if err := client.Set(ctx, "key", "value", 0).Err(); err != nil {
				t.Error(err)
			}
		}); err != nil {
			t.Error(err)
		}
	})
}

// TestRedisSubscribe: one task receives messages directly. (PubSub's Channel brings goroutines and a Go
// channel: a task can't wait for that.)
func TestRedisSubscribe(t *testing.T) {
	client := redisClient(t, 5)
	direct(t, func() {
		defer closeRedis(t, client)
		ctx := context.Background()
		news := client.Subscribe(ctx, "news")
		defer news.Close()
		if _, err := news.Receive(ctx); err != nil { // the confirmation
			t.Fatal(err)
		}
		heard := runtime.Async(func() (string, error) {
			m, err := news.ReceiveMessage(ctx)
			if err != nil {
				return "", err
			}
			return m.Payload, nil
		})
		runtime.Yield()
		conn, err := redisConn(ctx, client)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.Publish(ctx, "news", "spring").Err(); err != nil {
			t.Error(err)
		}
		if got, err := heard.Get(); got != "spring" || err != nil {
			t.Errorf("heard %q, %v", got, err)
		}
	})
}

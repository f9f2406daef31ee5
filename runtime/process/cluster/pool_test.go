package cluster

import (
	"testing"

	"github.com/weft-go/weft/runtime/process"
)

var square = process.Register("test square", func(n int) (int, error) { return n * n, nil })

func TestPoolMap(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		p := ok(process.NewPool(2, c.Pool("p")))
		args := make([]int, 2000)
		for i := range args {
			args[i] = i
		}
		results := ok(process.Map(p, square, args))
		for i, r := range results {
			want(t, "result", r, i*i)
		}
		p.Close()
		check(t, p.JoinUntil(patience()))
	})
}

func TestQueue(t *testing.T) {
	withCluster(t, func(c *Cluster) {
		q := ok(process.NewQueue[string](c.Queue("q"), 0))
		for _, s := range []string{"a", "b", "c"} {
			check(t, q.Put(s))
		}
		want(t, "len", ok(q.Len()), 3)
		want(t, "item", ok(q.Get()), "a")
		want(t, "item", ok(q.Get()), "b")
		check(t, q.Close())
		want(t, "item", ok(q.Get()), "c")
		_, err := q.GetUntil(patience())
		t.Log(err)
		check(t, q.Remove())
	})
}

package process

import (
	"fmt"
	"io"
	stdnet "net"
	"os"
	goruntime "runtime"
	"testing"

	"github.com/weft-go/weft/runtime"
)

type filesArg struct {
	Text     *File
	Sockets  []*File
	Greeting string
}

var (
	serveOne = Register("test serve one", func(a filesArg) (string, error) {
		text, err := io.ReadAll(a.Text)
		if err != nil {
			return "", err
		}
		l, err := stdnet.FileListener(a.Sockets[0].File)
		if err != nil {
			return "", err
		}
		defer l.Close()
		c, err := l.Accept()
		if err != nil {
			return "", err
		}
		defer c.Close()
		_, err = io.WriteString(c, a.Greeting)
		return fmt.Sprintf("%s, %s", a.Text.Name(), text), err
	})
	processors = Register("test processors", func(struct{}) ([2]int, error) {
		return [2]int{goruntime.GOMAXPROCS(0), runtime.Default().Stats().Workers}, nil
	})
)

// Files and listeners go to a process, and stay here too.
func TestFile(t *testing.T) {
	inTask(t, func() {
		name := t.TempDir() + "/text"
		check(t, os.WriteFile(name, []byte("content"), 0o600))
		text := ok(os.Open(name))
		defer text.Close()
		l := ok(stdnet.ListenTCP("tcp", &stdnet.TCPAddr{IP: stdnet.IPv4(127, 0, 0, 1)}))
		defer l.Close()
		socket := ok(l.File())
		defer socket.Close()
		for range 2 { // the second one gets the same listener
			_, err := text.Seek(0, io.SeekStart)
			check(t, err)
			p := ok(Start(serveOne, filesArg{&File{text}, []*File{{socket}}, "hello"}))
			c := ok(stdnet.Dial("tcp", l.Addr().String()))
			b := ok(runtime.Await(func() ([]byte, error) { return io.ReadAll(c) }))
			want(t, "greeting", string(b), "hello")
			check(t, c.Close())
			want(t, "result", ok(p.Result()), name+", content")
		}
		r, w, err := OneWay[*File]()
		check(t, err)
		check(t, w.Send(&File{text}))
		through := ok(r.Recv())
		want(t, "name", through.Name(), name)
		check(t, through.Close())
		check(t, w.Close())
		check(t, r.Close())
		check(t, text.Close())
		if _, err := Start(serveOne, filesArg{Text: &File{text}}); err == nil {
			t.Error("a closed file was sent")
		}
		if _, err := Start(serveOne, filesArg{Text: &File{}}); err == nil {
			t.Error("no file was sent")
		}
	})
}

func TestProcessors(t *testing.T) {
	inTask(t, func() {
		want(t, "processors and workers", ok(ok(Start(processors, struct{}{}, Processors(1))).Result()), [2]int{1, 1})
		want(t, "processors and workers", ok(ok(Start(processors, struct{}{}, Processors(3))).Result()), [2]int{3, 3})
	})
}

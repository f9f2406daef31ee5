package server

import (
	"context"
	"io"
	"log/slog"
	stdnet "net"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/internal/wire"
	"github.com/weft-go/weft/ftp/storage"
)

// FuzzSession gives a session, logged in or not, whatever there is. It must not
// panic, must end with its connection, and may send nothing but replies.
func FuzzSession(f *testing.F) {
	for _, seed := range []string{
		"NOOP\r\n", "RNFR a\r\nRNTO b\r\n", "STAT /\r\n", "MLST\r\n", "OPTS MLST size;\r\nMLST d\r\n", "REST 5\r\nRETR a\r\n",
		"CWD d\r\nPWD\r\nCDUP\r\n", "EPSV\r\nLIST\r\n", "PORT 1,2,3,4,5,6\r\n", "\xff\xf4\xff\xf2ABOR\r\n",
		"TYPE A\r\nSIZE a\r\n", "HELP\r\nFEAT\r\nSYST\r\nSTAT\r\n", "MKD x\"y\r\nRMD x\"y\r\nDELE a\r\n", "REIN\r\nUSER u\r\nPASS u\r\n",
		"GET / HTTP/1.1\r\n", "\x00\r\n", "MDTM d\r\nALLO 10\r\nQUIT\r\n",
		"SITE UTIME a 20200101000000 20200101000000 20200101000000 UTC\r\nSITE UTIME 202001010000 d\r\n", "SITE CPFR a\r\nSITE CPTO b\r\n",
		"RANG 1 2\r\nHASH a\r\nOPTS HASH MD5\r\nMMD5 a, b\r\nXCRC \"a\" 1 2\r\n", "MFF Modify=20200101000000;UNIX.mode=0600; d\r\nMFMT 20200101000000 d\r\n",
		"SITE UMASK 077\r\nSITE CHMOD 600 d\r\nSITE MKDIR x\r\nSITE HELP\r\n", "MODE Z\r\nOPTS MODE Z LEVEL 9\r\nSTOU\r\nAVBL\r\nLANG en\r\n",
	} {
		f.Add(true, []byte(seed))
		f.Add(false, []byte(seed))
	}
	log := slog.New(slog.DiscardHandler)
	f.Fuzz(func(t *testing.T, login bool, input []byte) {
		if len(input) > 1<<12 {
			return
		}
		root := storage.NewMem()
		for _, err := range []error{root.Mkdir("/d"), root.Mkdir("/e")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		srv, err := New(Config{
			Engine: Goroutines(), Auth: anyone{}, Root: root, Logger: log, LoginDelay: -1,
			// For input after which QUIT is not seen as one.
			IdleTimeout: 50 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := stdnet.Pipe()
		s := newSession(srv, theirs)
		if refused := srv.add(s); refused != nil {
			t.Fatal(refused)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.run()
		}()
		go func() {
			before := ""
			if login {
				before = "USER u\r\nPASS u\r\n"
			}
			// The session may end before it has read all.
			_, _ = ours.Write([]byte(before + string(input) + "\r\nQUIT\r\n"))
		}()
		_ = ours.SetReadDeadline(time.Now().Add(10 * time.Second))
		output, err := io.ReadAll(ours)
		if err != nil {
			t.Fatal(err)
		}
		<-ended
		_ = ours.Close()
		checkReplies(t, input, output)
	})
}

// checkReplies wants whole replies and nothing else.
func checkReplies(t *testing.T, input, output []byte) {
	var r wire.LineReader
	r.MaxLine = 1 << 20
	r.Feed(output)
	var p ftp.ReplyParser
	for {
		line, ok, err := r.Next()
		if err != nil {
			t.Fatalf("%q: %v", output, err)
		}
		if !ok {
			break
		}
		reply, done, err := p.Line(line)
		if err != nil {
			t.Fatalf("%q answered by %q: %v", input, output, err)
		}
		if done && reply.Code == errBroken.Code && reply.Text() == errBroken.Msg {
			t.Fatalf("%q panicked", input)
		}
	}
	if p.Pending() || r.Buffered() > 0 {
		t.Fatalf("%q answered by %q: cut off", input, output)
	}
}

// anyone lets everyone in whose password is the name.
type anyone struct{}

func (anyone) Authenticate(_ context.Context, user, password string, _ auth.Peer) (*auth.Identity, error) {
	if user != password {
		return nil, auth.ErrDenied
	}
	return &auth.Identity{Name: user, Home: "/", Perms: auth.ReadWrite}, nil
}

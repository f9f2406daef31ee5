package ftp_test

import (
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"time"

	"github.com/weft-go/weft/ftp"
)

// A server looks a command up, checks it against its row and answers.
func Example() {
	session := func(input string) []byte {
		line, err := ftp.ParseCommand([]byte(input))
		if err != nil {
			return ftp.AppendReply(nil, ftp.CodeSyntax, err.Error())
		}
		command, ok := ftp.Lookup(line.Verb)
		if !ok {
			if _, known := ftp.Unserved(line.Verb); known {
				return ftp.AppendReply(nil, ftp.CodeNotImplemented, "Command not implemented.")
			}
			return ftp.AppendReply(nil, ftp.CodeSyntax, "Unknown command.")
		}
		if command.Login {
			return ftp.AppendReply(nil, ftp.CodeNotLoggedIn, "Please log in.")
		}
		return ftp.AppendReply(nil, ftp.CodeOK, "Fine.")
	}
	for _, input := range []string{"noop", "RETR file", "SMNT x", "HELO"} {
		fmt.Println(strings.TrimSpace(string(session(input))))
	}
	// Output:
	// 200 Fine.
	// 530 Please log in.
	// 502 Command not implemented.
	// 500 Unknown command.
}

func ExampleParseCommand() {
	line, err := ftp.ParseCommand([]byte("stor  two  blanks"))
	fmt.Printf("%s %q %v\n", line.Verb, line.Arg, err)
	line, _ = ftp.ParseCommand([]byte("PASS secret"))
	fmt.Println(line)
	// Output:
	// STOR " two  blanks" <nil>
	// PASS ****
}

func ExampleAppendCommand() {
	_, err := ftp.AppendCommand(nil, "MKD", "a\r\nDELE b")
	fmt.Println(err == ftp.ErrBadByte)
	// Output: true
}

func ExampleParseReply() {
	reply, _, err := ftp.ParseReply([]byte("211-Features:\r\n MDTM\r\n211 End\r\n"))
	fmt.Printf("%v %q %v\n", reply.Code, reply.Lines, err)
	// Output: 211 ["Features:" " MDTM" "End"] <nil>
}

func ExampleResolve() {
	for _, arg := range []string{"b", "../../..", "/x/./y//z/.."} {
		path, err := ftp.Resolve("/a", arg)
		fmt.Println(path, err)
	}
	// Output:
	// /a/b <nil>
	// / <nil>
	// /x/y <nil>
}

func ExampleQuote() {
	fmt.Println(ftp.Quote(`/a"b`) + " created.")
	// Output: "/a""b" created.
}

func ExampleParsePORT() {
	addr, err := ftp.ParsePORT("192,0,2,1,4,1")
	fmt.Println(addr, err)
	// Output: 192.0.2.1:1025 <nil>
}

func ExampleText227() {
	fmt.Println(ftp.Text227(netip.MustParseAddrPort("192.0.2.1:1025")))
	// Output: Entering Passive Mode (192,0,2,1,4,1).
}

func ExampleAppendList() {
	now := time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC)
	e := ftp.Entry{Name: "readme.txt", Mode: 0o644, Size: 1234, ModTime: now.AddDate(0, -1, 0), Owner: "joe", Group: "staff"}
	fmt.Printf("%s", ftp.AppendList(nil, &e, now))
	// Output: -rw-r--r--    1 joe      staff            1234 Jun 01 12:00 readme.txt
}

func ExampleAppendMLSD() {
	e := ftp.Entry{Name: "pub", Mode: fs.ModeDir | 0o755, Perm: ftp.PermList}
	fmt.Printf("%s", ftp.AppendMLSD(nil, &e, ftp.FactType|ftp.FactPerm|ftp.FactUnixMode))
	// Output: type=dir;perm=el;UNIX.mode=0755; pub
}

func ExampleASCIIDecoder() {
	var a ftp.ASCIIDecoder
	out := a.Append(nil, []byte("cut inside a CR"+"\r"))
	out = a.Append(out, []byte("\nLF pair"))
	fmt.Printf("%q\n", a.Flush(out))
	// Output: "cut inside a CR\nLF pair"
}

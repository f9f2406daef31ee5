package auth_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/weft-go/weft/ftp/auth"
)

// A users file with one user, who logs in.
func Example() {
	hash, err := auth.HashPassword("correct horse")
	if err != nil {
		log.Fatal(err)
	}
	file := "# name:hash:home:permissions\nalice:" + hash + ":/alice:list,read,append\n"
	users, err := auth.ParseUsers(strings.NewReader(file), "users")
	if err != nil {
		log.Fatal(err)
	}
	id, err := users.Authenticate(context.Background(), "alice", "correct horse", auth.Peer{})
	fmt.Println(id.Name, id.Home, id.Perms, err)
	_, err = users.Authenticate(context.Background(), "alice", "battery staple", auth.Peer{})
	fmt.Println(err)
	// Output:
	// alice /alice list,read,append <nil>
	// login incorrect
}

// A server without a users file makes up a password and tells its operator.
func ExampleNewSingle() {
	password := auth.GeneratePassword()
	single, err := auth.NewSingle(auth.Identity{Name: "ftp", Home: "/", Perms: auth.ReadOnly}, password)
	if err != nil {
		log.Fatal(err)
	}
	_, err = single.Authenticate(context.Background(), "ftp", password, auth.Peer{})
	fmt.Println(len(password), err)
	// Output: 19 <nil>
}

func ExampleParsePermissions() {
	p, err := auth.ParsePermissions("list, read, mkdir")
	fmt.Println(p, p.Has(auth.Read), p.Has(auth.Write), err)
	// Output: list,read,mkdir true false <nil>
}

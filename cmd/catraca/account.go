package main

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/transport/wire"
)

func accountCommand(env environment) *cobra.Command {
	r := &remote{}
	c := group(env, &cobra.Command{
		Use:   "account",
		Short: "Make accounts of staff and give them roles",
		Long: "Roles, each of which may do what the ones before it may: fan, gate (scans tickets), viewer (reads the\n" +
			"organiser's pages), operator (runs sales), owner (gives roles)." + remoteHelp,
		Example: "  catraca account add ana@example.com --name 'Ana Souza' --role owner --config catraca.yaml\n" +
			"  catraca account role bia@example.com gate\n  catraca account disable bia@example.com",
	},
		accountAddCommand(env, r), accountRoleCommand(env, r),
		accountStateCommand(env, r, "disable", "Sign an account out everywhere, and let it in no more"),
		accountStateCommand(env, r, "enable", "Let a disabled account in again"),
		accountTokenCommand(env, r),
	)
	r.flags(c)
	return c
}

func accountAddCommand(env environment, r *remote) *cobra.Command {
	var out output
	var name, role, passwordFile string
	c := &cobra.Command{
		Use:   "add EMAIL",
		Short: "Make an account; the first administrator is made this way",
		Long:  "Without --password-file a password is made up and shown once.",
		Example: "  catraca account add ana@example.com --name 'Ana Souza' --role owner --config catraca.yaml\n" +
			"  catraca account add bia@example.com --name Bia --role gate --password-file - < password.txt",
		Args: exactly("EMAIL"),
		RunE: func(c *cobra.Command, args []string) error {
			asJSON, err := out.json(c)
			if err != nil {
				return err
			}
			if name == "" {
				return wrong(c, "--name is missing")
			}
			password, shown, err := choosePassword(env, passwordFile)
			if err != nil {
				return err
			}
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			var made struct {
				Account wire.Account `json:"account"`
			}
			in := map[string]string{"email": args[0], "name": name, "role": role, "password": password}
			if _, err := api.post(c.Context(), "/api/v1/admin/accounts", in, &made); err != nil {
				return err
			}
			if asJSON {
				answer := map[string]any{"account": made.Account}
				if shown != "" {
					answer["password"] = shown
				}
				return writeJSON(env.stdout, answer)
			}
			return facts(env.stdout, "account", made.Account.ID, "email", made.Account.Email, "role", made.Account.Role, "password", shown)
		},
	}
	f := c.Flags()
	f.StringVar(&name, "name", "", "the person's name; needed")
	f.StringVar(&role, "role", "operator", "fan, gate, viewer, operator or owner")
	f.StringVar(&passwordFile, "password-file", "", "file whose first line is the password; - reads it from standard input")
	out.flag(c)
	return c
}

// choosePassword reads a password, or makes one up; then it is shown as well.
func choosePassword(env environment, file string) (password, shown string, err error) {
	switch file {
	case "":
		raw := make([]byte, 15)
		_, _ = rand.Read(raw) // never fails
		made := strings.ToLower(base32.StdEncoding.EncodeToString(raw))
		return made, made, nil
	case "-":
		data, err := io.ReadAll(io.LimitReader(env.stdin, maxToken))
		if err != nil {
			return "", "", fmt.Errorf("read password: %w", err)
		}
		password, _, _ = strings.Cut(string(data), "\n")
	default:
		data, err := readBounded(file, maxToken)
		if err != nil {
			return "", "", fmt.Errorf("read password: %w", err)
		}
		password, _, _ = strings.Cut(string(data), "\n")
	}
	password = strings.TrimSuffix(password, "\r")
	if password == "" {
		return "", "", errors.New("read password: the first line is empty")
	}
	return password, "", nil
}

func accountRoleCommand(env environment, r *remote) *cobra.Command {
	return &cobra.Command{
		Use: "role EMAIL ROLE", Short: "Give an account a role", Args: exactly("EMAIL", "ROLE"),
		Example: "  catraca account role bia@example.com gate --config catraca.yaml",
		RunE: func(c *cobra.Command, args []string) error {
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			who, err := findAccount(c.Context(), api, args[0])
			if err != nil {
				return err
			}
			if _, err := api.post(c.Context(), "/api/v1/admin/accounts/"+who.ID+"/role", map[string]string{"role": args[1]}, nil); err != nil {
				return unchangeable(who, err)
			}
			return facts(env.stdout, "account", who.ID, "email", who.Email, "role", args[1])
		},
	}
}

func accountStateCommand(env environment, r *remote, verb, short string) *cobra.Command {
	return &cobra.Command{
		Use: verb + " EMAIL", Short: short, Args: exactly("EMAIL"),
		Example: "  catraca account " + verb + " bia@example.com --config catraca.yaml",
		RunE: func(c *cobra.Command, args []string) error {
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			who, err := findAccount(c.Context(), api, args[0])
			if err != nil {
				return err
			}
			if _, err := api.post(c.Context(), "/api/v1/admin/accounts/"+who.ID+"/"+verb, map[string]string{}, nil); err != nil {
				return unchangeable(who, err)
			}
			return facts(env.stdout, "account", who.ID, "email", who.Email, "state", verb+"d")
		},
	}
}

func findAccount(ctx context.Context, api *client, email string) (wire.Account, error) {
	var list wire.List[wire.Account]
	if _, err := api.get(ctx, "/api/v1/admin/accounts?email="+url.QueryEscape(email), &list); err != nil {
		return wire.Account{}, err
	}
	if len(list.Items) == 0 {
		return wire.Account{}, fmt.Errorf("there is no account %q", email)
	}
	return list.Items[0], nil
}

// unchangeable says why an account stays as it is.
func unchangeable(who wire.Account, err error) error {
	if isRefused(err, wire.WrongState) {
		return fmt.Errorf("%s cannot be changed so: it is the last owner (make another one first), or was erased", who.Email)
	}
	return err
}

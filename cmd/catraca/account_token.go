package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/catraca/catraca/transport/wire"
)

func accountTokenCommand(env environment, r *remote) *cobra.Command {
	var save, passwordFile string
	c := &cobra.Command{
		Use:   "token EMAIL",
		Short: "Sign in and keep the token for commands from elsewhere",
		Long:  "Signs an account in over --server and keeps its token in a file that only you can read. It is good for as long\nas a session.",
		Example: "  catraca account token ana@example.com --server https://shop.example.com --password-file - --save ana.token\n" +
			"  catraca event list --server https://shop.example.com --token-file ana.token",
		Args: exactly("EMAIL"),
		RunE: func(c *cobra.Command, args []string) error {
			if save == "" || passwordFile == "" {
				return wrong(c, "--password-file and --save are needed")
			}
			password, _, err := choosePassword(env, passwordFile)
			if err != nil {
				return err
			}
			api, err := r.dial(c, env)
			if err != nil {
				return err
			}
			var s wire.Session
			in := map[string]any{"email": args[0], "password": password, "token": true}
			if _, err := api.post(c.Context(), "/api/v1/sessions", in, &s); err != nil {
				return err
			}
			if s.Token == "" {
				return errors.New("the server gave no token")
			}
			if err := writeSecret(save, s.Token); err != nil {
				return err
			}
			return facts(env.stdout, "account", s.Account.ID, "email", s.Account.Email, "role", s.Account.Role,
				"until", local(s.Expires, "UTC"), "token", "in "+save)
		},
	}
	c.Flags().StringVar(&passwordFile, "password-file", "", "file whose first line is the password; - reads it from standard input; needed")
	c.Flags().StringVar(&save, "save", "", "file to keep the token in; needed")
	return c
}

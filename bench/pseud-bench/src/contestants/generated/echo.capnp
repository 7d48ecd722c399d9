@0xd4c9a8f1b2e37605;

interface Echo {
  echo @0 (body :Data) -> (body :Data);
}

/**
 * What attackers try first, as published after breaches, folded to lower case; passwords of less than twelve characters
 * are refused anyway. Kept as text: one diff line per line of words.
 */
export const COMMON_PASSWORDS: ReadonlySet<string> = words(`
  123456789012 1234567890123 12345678901234 123456789012345 1234567890123456 123456123456 123123123123
  121212121212 112233445566 11223344556677 1122334455667788 111222333444 111222333444555 012345678910
  0123456789012 987654321012 987654321987 098765432109 101010101010 131313131313 696969696969 147258369147
  147258369123 147852369147 159357159357 159753456852 741852963741 741852963852 789456123789 789456123012
  123789456123 321654987321 102030405060 1020304050607 123456abcdef 123456qwerty 123456qwertyu 1234567890qw
  1234567890qwe 1234567890qwer 12345qwertyui 12345qwert12345 12345678qwerty 123qwe123qwe 123qweasdzxc 123qwe456rty
  123qweasd456 1234qwerasdf 1234qwerasdfzxcv 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1q2w3e4r5t6y7u8i9o0p
  1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazxsw23edc 1qaz1qaz1qaz zaq12wsxcde3 zaq1xsw2cde3 zaq12wsxzaq1 zaq1zaq1zaq1
  !qaz2wsx3edc !qaz@wsx#edc qazwsxedcrfv qazwsxedc123 qazwsx123456 qazwsxqazwsx qazxswedcvfr qwaszxqwaszx
  qweasdzxc123 qweasdzxcqwe qweqweqweqwe qwerqwerqwer qwertasdfgzxcvb qwerty123456 qwerty1234567 qwerty12345678
  qwerty123456789 qwerty1234567890 qwertyqwerty qwertyqwerty123 qwertyuiop12 qwertyuiop123 qwertyuiop1234
  qwertyuiop[] qwertyasdfgh qwertyasdfzxcv qwertzuiop12 qwe123qwe123 qweasd123456 q1w2e3r4t5y6 q1w2e3r4t5y6u7
  q1w2e3r4q1w2e3r4 azertyuiop12 azertyuiop123 azerty123456 asdfghjkl123 asdfghjkl1234 asdfghjklzxcvbnm
  asdfasdfasdf asdf1234asdf asdfasdf1234 asdasdasdasd asd123asd123 zxcvbnm12345 zxcvbnm123456 zxcvzxcvzxcv
  zxczxczxczxc abcd12345678 abcd1234abcd abc123abc123 abc123456789 abcdef123456 abcdefg12345 abcdefghijkl
  abcdefghijklm a1b2c3d4e5f6 a1b2c3d4e5f6g7 a123456789012 aa1234567890 aaaa11111111 aaaaaaaaaaaa 1a2b3c4d5e6f
  a1s2d3f4g5h6 password1234 password12345 password123456 password123456789 password2020 password2021 password2022
  password2023 password2024 password2025 password2026 password1!2@ password@123 password@1234 password!123
  passwordpassword passwordpass passpassword mypassword123 mypassword1234 mypassword12 newpassword1 newpassword123
  thisismypassword thisispassword ihavenopassword nopassword123 forgotpassword wrongpassword securepassword
  strongpassword supersecret123 secretpassword adminpassword rootpassword userpassword testpassword changemenow1
  changeme1234 changepassword defaultpassword temppassword temporary123 temporarypassword p@ssw0rd1234
  p@ssw0rd12345 p@ssw0rd2024 p@ssword1234 passw0rd1234 pa$$w0rd1234 admin1234567 admin12345678 admin123456789
  admin@123456 administrator1 administrator123 adminadmin123 welcome12345 welcome123456 welcome@1234 welcometo123
  letmeinletmein letmein12345 letmeinplease letmeinnow12 opensesame123 opensesame12 iloveyou1234 iloveyou12345
  iloveyou123456 iloveyou2024 iloveyouiloveyou iloveyouforever iloveyousomuch iloveyoubaby iloveyou3000
  ilovemyfamily ilovemymom123 ilovemyself1 ilovejesus123 ilovechocolate ilovemykids12 iloveme12345 loveyouforever
  loveforever1 lovelylovely sunshine1234 sunshine12345 sunshine123456 princess1234 princess12345 superman1234
  superman12345 batman123456 spiderman123 spiderman1234 pokemon12345 pokemon123456 starwars1234 starwars12345
  dragonball123 dragonballz12 dragonballz1 dragon123456 monkey123456 shadow123456 master123456 masterkey123
  football1234 football12345 baseball1234 basketball12 basketball123 michael12345 jennifer1234 jordan123456
  jordan232323 charlie12345 butterfly123 butterfly1234 chocolate123 chocolate1234 strawberry12 strawberry123
  watermelon12 watermelon123 pineapple123 liverpool123 liverpool1234 liverpoolfc1 manchester12 manchesterunited
  manchester123 manutd123456 chelsea12345 chelseafc123 arsenal12345 arsenal123456 barcelona123 barcelona1234
  realmadrid12 realmadrid123 juventus1234 galatasaray1 galatasaray1905 fenerbahce1907 besiktas1903 computer1234
  computer12345 internet1234 whatever1234 whateverwhatever freedom12345 trustno1trustno1 helloworld12
  helloworld123 helloworld1234 hellohello12 hellohellohello hellokitty12 hellokitty123 hello1234567 hello12345678
  harrypotter1 harrypotter123 lordoftherings gameofthrones thewalkingdead backstreetboys mickeymouse1
  mickeymouse123 spongebob123 spongebob1234 scoobydoo123 christopher1 christopher123 alexander123 alexander1234
  alexandra123 elizabeth123 elizabeth1234 stephanie123 valentina123 sebastian123 francesco123 alessandro123
  giovanni1234 september123 september2024 december1234 november1234 february1234 summer2024!! winter2024!!
  spring2024!! autumn2024!! summer202425 january12345 correcthorse correcthorsebatterystaple
  correct-horse-battery-staple correcthorsebattery batterystaple trustnooneever thequickbrownfox thequickbrown
  tobeornottobe maytheforcebewithyou maytheforce1 abracadabra1 abracadabra123 supercalifragilisticexpialidocious
  nevergonnagiveyouup winteriscoming wintersoldier godisgood123 jesuschrist1 jesus1234567 jesusislord1
  jesuslovesme blessed12345 godbless1234 trustingod12 ingodwetrust inuyasha1234 naruto123456 narutouzumaki
  onepiece1234 samsung12345 samsunggalaxy google123456 facebook1234 facebook12345 microsoft123 windows12345
  windowsxp123 linkedin1234 iphone123456 android12345 minecraft123 minecraft1234 fortnite1234 callofduty12
  callofduty123 counterstrike counterstrike1 leagueoflegends worldofwarcraft grandtheftauto playstation1
  playstation3 playstation4 playstation123 nintendo1234 xbox36012345 slipknot1234 metallica123 metallica1234
  ironmaiden123 linkinpark12 linkinpark123 greenday1234 evanescence1 tokiohotel123 mychemicalromance blink182blink
  fuckyou12345 fuckyou123456 fuckyoufuckyou motherfucker motherfucker1 bullshit1234 fuckfuckfuck unbelievable
  undertaker12 undertaker123 skateboarding snowboarding skateboard12 cheerleader1 cheerleader12 gymnastics12
  gymnastics123 volleyball12 volleyball123 myspace12345 myspace123456 photography1 architecture international
  independence constantinople california12 california123 newyorkcity1 newyork12345 losangeles12 australia123
  australia1234 deutschland1 deutschland123 passwort1234 passwort12345 passwort123456 motdepasse12 motdepasse123
  contrasena12 contrasena123 contraseña123 qwertz123456 hallo1234567 schatz123456 ichliebedich ichliebedich1
  jetaime12345 doudou123456 loulou123456 teamo1234567 teamoteamo12 teamomucho12 teamoparasiempre tequiero1234
  estrella1234 princesa1234 futbol123456 senha1234567 senha12345678 brasil123456 flamengo1234 corinthians1
  corinthians12 palmeiras123 woaini123456 woaini1314520 woaini521521 5201314woaini a5201314520a 1314520woaini
  135792468000 135792468135 246813579246 5845201314520 woaiwojia123 parola123456 haslo1234567 heslo1234567
  smarthome123 smarthome1234 doorlock1234 opendoor1234 opendoor12345 frontdoor123 frontdoor1234 homesweethome
  homesweethome1 security1234 security12345 mortise12345 mortisemortise mortiseadmin companyname1 companyname123
  productionpassword demodemodemo demo12345678 demopassword demo-password letmeinletmein1 guestguest12
  guest1234567 testtesttest test12345678 test123456789 test1234test testing12345 testing123456 testtest1234
  tester123456 testaccount1 user12345678 username1234 username123456 login1234567 access123456 system123456
  server123456 database1234 oracle123456 postgres1234 postgrespostgres mysql1234567 rootrootroot root12345678
  toor12345678 superuser123 superuser1234 supervisor12 supervisor123 operator1234 operator12345 manager12345
  manager123456 service12345 support12345 support123456 office123456 office365365 changeit1234 changeitnow1
  default12345 default123456 qwerty!@#$%^ 1q2w3e4r!q@w 1qaz@wsx3edc 1qaz!qaz2wsx @wsx#edc4rfv zxcvbnm,./12
  zxcvbnm,./123 asdfghjkl;'1 poiuytrewq12 poiuytrewq123 mnbvcxz12345 lkjhgfdsa123 0987654321qw 0987654321qwe
  09876543210987 qwertyuiopasdfghjkl
`);

/** Words that stay weak however many digits and signs are put around them. */
export const COMMON_WORDS: ReadonlySet<string> = words(`
  password passwords passw0rd p@ssword p@ssw0rd pa55word pa55w0rd passwort motdepasse contrasena senha parola
  haslo heslo welcome welcome1 letmein iloveyou iloveu ilovey0u trustno1 sunshine princess princesa superman
  batman spiderman football baseball basketball soccer hockey monkey dragon shadow master michael jennifer jordan
  hunter killer charlie ashley daniel jessica michelle nicole thomas robert matthew andrew joshua computer
  internet starwars pokemon whatever freedom qwerty qwertz azerty qwertyui qwertyuiop asdfgh asdfghjk asdfghjkl
  zxcvbn zxcvbnm qazwsx qazwsxedc abc abcd abcdef abcdefg abcdefgh changeme changeit default secret topsecret
  admin administrator adminadmin root rootroot toor guest test testtest testing tester user username login access
  system server database oracle postgres mysql hello helloworld hellokitty lovely loveyou lovelove flower summer
  winter spring autumn january february march april june july august september october november december monday
  tuesday wednesday thursday friday saturday sunday chocolate cookie banana cheese butterfly liverpool arsenal
  chelsea barcelona realmadrid manchester juventus ferrari mercedes porsche corvette mustang yankees cowboys
  steelers lakers eagles samsung google facebook microsoft windows apple iphone android linkedin amazon netflix
  smarthome doorlock mortise security company business pa$$word
`);

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

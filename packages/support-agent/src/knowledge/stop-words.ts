/** Words without a meaning of their own in a customer's question, apostrophes taken out. */
export const stopWords: ReadonlySet<string> = new Set(
  `a about after again all also am an and any anyone anything are arent as at be because been before
  being both but by can cannot cant could couldnt did didnt do does doesnt doing done dont each else
  ever for from get gets getting give go going got had has hasnt have havent having he hello her
  here hers hey hi him his how however i id if ill im in into is isnt it its ive just know let like
  look looking lot make many may maybe me might mine more most much must my myself need needs no nor
  not now of off ok okay on once one only or other our ours out over own please put really right same
  say see she should so some somehow someone something still such sure take takes tell than thank
  thanks that thats the their them then there theres these they thing things this those through to
  too try trying under until up us use used using very want wanted wants was wasnt way we well went
  were what whats when where which while who whom whose why will with wont would wouldnt yes yet you
  your yours`.split(/\s+/),
);

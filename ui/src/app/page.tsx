import { Dashboard } from "@/components/shell/Dashboard";
import { RequireLogin } from "@/features/session/RequireLogin";

export default function Home() {
  return (
    <RequireLogin>
      <Dashboard />
    </RequireLogin>
  );
}

module @expert_rows_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<40x6xf32>, %arg1: tensor<90x1xi32>, %arg2: tensor<40x2xi32>, %arg3: tensor<3x10x6xf32>, %arg4: tensor<3x10x6xf32>, %arg5: tensor<3x6x10xf32>, %arg6: tensor<10xi32>, %arg7: tensor<90xf32>, %arg8: tensor<90x6xf32>) -> (tensor<90x6xf32>, tensor<40x6xf32>, tensor<3x10x6xf32>, tensor<3x10x6xf32>, tensor<3x6x10xf32>, tensor<90xf32>) {
    %0 = stablehlo.reshape %arg1 : (tensor<90x1xi32>) -> tensor<90xi32>
    %1 = stablehlo.constant dense<0> : tensor<i32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<i32>) -> tensor<90xi32>
    %3 = stablehlo.maximum %0, %2 : tensor<90xi32>
    %4 = stablehlo.convert %3 : (tensor<90xi32>) -> tensor<90xf32>
    %5 = stablehlo.constant dense<0.5> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<90xf32>
    %7 = stablehlo.add %4, %6 : tensor<90xf32>
    %8 = stablehlo.constant dense<2.0> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<90xf32>
    %10 = stablehlo.divide %7, %9 : tensor<90xf32>
    %11 = stablehlo.floor %10 : tensor<90xf32>
    %12 = stablehlo.convert %11 : (tensor<90xf32>) -> tensor<90xi32>
    %13 = stablehlo.compare GE, %0, %2, SIGNED : (tensor<90xi32>, tensor<90xi32>) -> tensor<90xi1>
    %14 = "stablehlo.gather"(%arg0, %12) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 6>}> : (tensor<40x6xf32>, tensor<90xi32>) -> tensor<90x6xf32>
    %15 = stablehlo.constant dense<0.0> : tensor<f32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<90x6xf32>
    %17 = stablehlo.broadcast_in_dim %13, dims = [0] : (tensor<90xi1>) -> tensor<90x6xi1>
    %18 = stablehlo.select %17, %14, %16 : tensor<90x6xi1>, tensor<90x6xf32>
    %19 = stablehlo.constant dense<0> : tensor<i32>
    %20 = stablehlo.constant dense<1> : tensor<i32>
    %21 = stablehlo.constant dense<10> : tensor<i32>
    %22 = stablehlo.constant dense<0.0> : tensor<90x10xf32>
    %23:2 = stablehlo.while(%24 = %19, %25 = %22) : tensor<i32>, tensor<90x10xf32>
    cond {
      %26 = stablehlo.compare LT, %24, %21, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %26 : tensor<i1>
    } do {
    %27 = stablehlo.constant dense<9> : tensor<i32>
    %28 = stablehlo.multiply %24, %27 : tensor<i32>
    %29 = stablehlo.constant dense<0> : tensor<i32>
    %30 = stablehlo.dynamic_slice %18, %28, %29, sizes = [9, 6] : (tensor<90x6xf32>, tensor<i32>, tensor<i32>) -> tensor<9x6xf32>
    %31 = stablehlo.dynamic_slice %arg6, %24, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %32 = stablehlo.reshape %31 : (tensor<1xi32>) -> tensor<i32>
    %33 = stablehlo.constant dense<2> : tensor<i32>
    %34 = stablehlo.minimum %32, %33 : tensor<i32>
    %35 = stablehlo.constant dense<0> : tensor<i32>
    %36 = stablehlo.dynamic_slice %arg3, %34, %35, %35, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %37 = stablehlo.reshape %36 : (tensor<1x10x6xf32>) -> tensor<10x6xf32>
    %38 = stablehlo.dot_general %30, %37, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<9x6xf32>, tensor<10x6xf32>) -> tensor<9x10xf32>
    %39 = stablehlo.constant dense<0> : tensor<i32>
    %40 = stablehlo.dynamic_update_slice %25, %38, %28, %39 : (tensor<90x10xf32>, tensor<9x10xf32>, tensor<i32>, tensor<i32>) -> tensor<90x10xf32>
    %41 = stablehlo.add %24, %20 : tensor<i32>
    stablehlo.return %41, %40 : tensor<i32>, tensor<90x10xf32>
    }
    %42 = stablehlo.constant dense<0> : tensor<i32>
    %43 = stablehlo.constant dense<1> : tensor<i32>
    %44 = stablehlo.constant dense<10> : tensor<i32>
    %45 = stablehlo.constant dense<0.0> : tensor<90x10xf32>
    %46:2 = stablehlo.while(%47 = %42, %48 = %45) : tensor<i32>, tensor<90x10xf32>
    cond {
      %49 = stablehlo.compare LT, %47, %44, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %49 : tensor<i1>
    } do {
    %50 = stablehlo.constant dense<9> : tensor<i32>
    %51 = stablehlo.multiply %47, %50 : tensor<i32>
    %52 = stablehlo.constant dense<0> : tensor<i32>
    %53 = stablehlo.dynamic_slice %18, %51, %52, sizes = [9, 6] : (tensor<90x6xf32>, tensor<i32>, tensor<i32>) -> tensor<9x6xf32>
    %54 = stablehlo.dynamic_slice %arg6, %47, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %55 = stablehlo.reshape %54 : (tensor<1xi32>) -> tensor<i32>
    %56 = stablehlo.constant dense<2> : tensor<i32>
    %57 = stablehlo.minimum %55, %56 : tensor<i32>
    %58 = stablehlo.constant dense<0> : tensor<i32>
    %59 = stablehlo.dynamic_slice %arg4, %57, %58, %58, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %60 = stablehlo.reshape %59 : (tensor<1x10x6xf32>) -> tensor<10x6xf32>
    %61 = stablehlo.dot_general %53, %60, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<9x6xf32>, tensor<10x6xf32>) -> tensor<9x10xf32>
    %62 = stablehlo.constant dense<0> : tensor<i32>
    %63 = stablehlo.dynamic_update_slice %48, %61, %51, %62 : (tensor<90x10xf32>, tensor<9x10xf32>, tensor<i32>, tensor<i32>) -> tensor<90x10xf32>
    %64 = stablehlo.add %47, %43 : tensor<i32>
    stablehlo.return %64, %63 : tensor<i32>, tensor<90x10xf32>
    }
    %65 = stablehlo.logistic %23#1 : tensor<90x10xf32>
    %66 = stablehlo.multiply %23#1, %65 : tensor<90x10xf32>
    %67 = stablehlo.multiply %66, %46#1 : tensor<90x10xf32>
    %68 = stablehlo.broadcast_in_dim %arg7, dims = [0] : (tensor<90xf32>) -> tensor<90x10xf32>
    %69 = stablehlo.multiply %67, %68 : tensor<90x10xf32>
    %70 = stablehlo.constant dense<0> : tensor<i32>
    %71 = stablehlo.constant dense<1> : tensor<i32>
    %72 = stablehlo.constant dense<10> : tensor<i32>
    %73 = stablehlo.constant dense<0.0> : tensor<90x6xf32>
    %74:2 = stablehlo.while(%75 = %70, %76 = %73) : tensor<i32>, tensor<90x6xf32>
    cond {
      %77 = stablehlo.compare LT, %75, %72, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %77 : tensor<i1>
    } do {
    %78 = stablehlo.constant dense<9> : tensor<i32>
    %79 = stablehlo.multiply %75, %78 : tensor<i32>
    %80 = stablehlo.constant dense<0> : tensor<i32>
    %81 = stablehlo.dynamic_slice %69, %79, %80, sizes = [9, 10] : (tensor<90x10xf32>, tensor<i32>, tensor<i32>) -> tensor<9x10xf32>
    %82 = stablehlo.dynamic_slice %arg6, %75, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %83 = stablehlo.reshape %82 : (tensor<1xi32>) -> tensor<i32>
    %84 = stablehlo.constant dense<2> : tensor<i32>
    %85 = stablehlo.minimum %83, %84 : tensor<i32>
    %86 = stablehlo.constant dense<0> : tensor<i32>
    %87 = stablehlo.dynamic_slice %arg5, %85, %86, %86, sizes = [1, 6, 10] : (tensor<3x6x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x6x10xf32>
    %88 = stablehlo.reshape %87 : (tensor<1x6x10xf32>) -> tensor<6x10xf32>
    %89 = stablehlo.dot_general %81, %88, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<9x10xf32>, tensor<6x10xf32>) -> tensor<9x6xf32>
    %90 = stablehlo.constant dense<0> : tensor<i32>
    %91 = stablehlo.dynamic_update_slice %76, %89, %79, %90 : (tensor<90x6xf32>, tensor<9x6xf32>, tensor<i32>, tensor<i32>) -> tensor<90x6xf32>
    %92 = stablehlo.add %75, %71 : tensor<i32>
    stablehlo.return %92, %91 : tensor<i32>, tensor<90x6xf32>
    }
    %93 = stablehlo.constant dense<0> : tensor<i32>
    %94 = stablehlo.constant dense<1> : tensor<i32>
    %95 = stablehlo.constant dense<10> : tensor<i32>
    %96 = stablehlo.constant dense<0.0> : tensor<90x10xf32>
    %97:2 = stablehlo.while(%98 = %93, %99 = %96) : tensor<i32>, tensor<90x10xf32>
    cond {
      %100 = stablehlo.compare LT, %98, %95, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %100 : tensor<i1>
    } do {
    %101 = stablehlo.constant dense<9> : tensor<i32>
    %102 = stablehlo.multiply %98, %101 : tensor<i32>
    %103 = stablehlo.constant dense<0> : tensor<i32>
    %104 = stablehlo.dynamic_slice %arg8, %102, %103, sizes = [9, 6] : (tensor<90x6xf32>, tensor<i32>, tensor<i32>) -> tensor<9x6xf32>
    %105 = stablehlo.dynamic_slice %arg6, %98, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %106 = stablehlo.reshape %105 : (tensor<1xi32>) -> tensor<i32>
    %107 = stablehlo.constant dense<2> : tensor<i32>
    %108 = stablehlo.minimum %106, %107 : tensor<i32>
    %109 = stablehlo.constant dense<0> : tensor<i32>
    %110 = stablehlo.dynamic_slice %arg5, %108, %109, %109, sizes = [1, 6, 10] : (tensor<3x6x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x6x10xf32>
    %111 = stablehlo.reshape %110 : (tensor<1x6x10xf32>) -> tensor<6x10xf32>
    %112 = stablehlo.dot_general %104, %111, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<9x6xf32>, tensor<6x10xf32>) -> tensor<9x10xf32>
    %113 = stablehlo.constant dense<0> : tensor<i32>
    %114 = stablehlo.dynamic_update_slice %99, %112, %102, %113 : (tensor<90x10xf32>, tensor<9x10xf32>, tensor<i32>, tensor<i32>) -> tensor<90x10xf32>
    %115 = stablehlo.add %98, %94 : tensor<i32>
    stablehlo.return %115, %114 : tensor<i32>, tensor<90x10xf32>
    }
    %116 = stablehlo.multiply %97#1, %68 : tensor<90x10xf32>
    %117 = stablehlo.multiply %116, %46#1 : tensor<90x10xf32>
    %118 = stablehlo.multiply %117, %65 : tensor<90x10xf32>
    %119 = stablehlo.negate %65 : tensor<90x10xf32>
    %120 = stablehlo.constant dense<1.0> : tensor<f32>
    %121 = stablehlo.broadcast_in_dim %120, dims = [] : (tensor<f32>) -> tensor<90x10xf32>
    %122 = stablehlo.add %119, %121 : tensor<90x10xf32>
    %123 = stablehlo.multiply %23#1, %122 : tensor<90x10xf32>
    %124 = stablehlo.add %123, %121 : tensor<90x10xf32>
    %125 = stablehlo.multiply %118, %124 : tensor<90x10xf32>
    %126 = stablehlo.multiply %116, %23#1 : tensor<90x10xf32>
    %127 = stablehlo.multiply %126, %65 : tensor<90x10xf32>
    %128 = stablehlo.multiply %97#1, %67 : tensor<90x10xf32>
    %129 = stablehlo.constant dense<0.0> : tensor<f32>
    %130 = stablehlo.reduce(%128 init: %129) applies stablehlo.add across dimensions = [1] : (tensor<90x10xf32>, tensor<f32>) -> tensor<90xf32>
    %131 = stablehlo.constant dense<0> : tensor<i32>
    %132 = stablehlo.constant dense<1> : tensor<i32>
    %133 = stablehlo.constant dense<10> : tensor<i32>
    %134 = stablehlo.constant dense<0.0> : tensor<90x6xf32>
    %135:2 = stablehlo.while(%136 = %131, %137 = %134) : tensor<i32>, tensor<90x6xf32>
    cond {
      %138 = stablehlo.compare LT, %136, %133, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %138 : tensor<i1>
    } do {
    %139 = stablehlo.constant dense<9> : tensor<i32>
    %140 = stablehlo.multiply %136, %139 : tensor<i32>
    %141 = stablehlo.constant dense<0> : tensor<i32>
    %142 = stablehlo.dynamic_slice %125, %140, %141, sizes = [9, 10] : (tensor<90x10xf32>, tensor<i32>, tensor<i32>) -> tensor<9x10xf32>
    %143 = stablehlo.dynamic_slice %arg6, %136, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %144 = stablehlo.reshape %143 : (tensor<1xi32>) -> tensor<i32>
    %145 = stablehlo.constant dense<2> : tensor<i32>
    %146 = stablehlo.minimum %144, %145 : tensor<i32>
    %147 = stablehlo.constant dense<0> : tensor<i32>
    %148 = stablehlo.dynamic_slice %arg3, %146, %147, %147, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %149 = stablehlo.reshape %148 : (tensor<1x10x6xf32>) -> tensor<10x6xf32>
    %150 = stablehlo.dot_general %142, %149, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<9x10xf32>, tensor<10x6xf32>) -> tensor<9x6xf32>
    %151 = stablehlo.constant dense<0> : tensor<i32>
    %152 = stablehlo.dynamic_update_slice %137, %150, %140, %151 : (tensor<90x6xf32>, tensor<9x6xf32>, tensor<i32>, tensor<i32>) -> tensor<90x6xf32>
    %153 = stablehlo.add %136, %132 : tensor<i32>
    stablehlo.return %153, %152 : tensor<i32>, tensor<90x6xf32>
    }
    %154 = stablehlo.constant dense<0> : tensor<i32>
    %155 = stablehlo.constant dense<1> : tensor<i32>
    %156 = stablehlo.constant dense<10> : tensor<i32>
    %157 = stablehlo.constant dense<0.0> : tensor<90x6xf32>
    %158:2 = stablehlo.while(%159 = %154, %160 = %157) : tensor<i32>, tensor<90x6xf32>
    cond {
      %161 = stablehlo.compare LT, %159, %156, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %161 : tensor<i1>
    } do {
    %162 = stablehlo.constant dense<9> : tensor<i32>
    %163 = stablehlo.multiply %159, %162 : tensor<i32>
    %164 = stablehlo.constant dense<0> : tensor<i32>
    %165 = stablehlo.dynamic_slice %127, %163, %164, sizes = [9, 10] : (tensor<90x10xf32>, tensor<i32>, tensor<i32>) -> tensor<9x10xf32>
    %166 = stablehlo.dynamic_slice %arg6, %159, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %167 = stablehlo.reshape %166 : (tensor<1xi32>) -> tensor<i32>
    %168 = stablehlo.constant dense<2> : tensor<i32>
    %169 = stablehlo.minimum %167, %168 : tensor<i32>
    %170 = stablehlo.constant dense<0> : tensor<i32>
    %171 = stablehlo.dynamic_slice %arg4, %169, %170, %170, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %172 = stablehlo.reshape %171 : (tensor<1x10x6xf32>) -> tensor<10x6xf32>
    %173 = stablehlo.dot_general %165, %172, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<9x10xf32>, tensor<10x6xf32>) -> tensor<9x6xf32>
    %174 = stablehlo.constant dense<0> : tensor<i32>
    %175 = stablehlo.dynamic_update_slice %160, %173, %163, %174 : (tensor<90x6xf32>, tensor<9x6xf32>, tensor<i32>, tensor<i32>) -> tensor<90x6xf32>
    %176 = stablehlo.add %159, %155 : tensor<i32>
    stablehlo.return %176, %175 : tensor<i32>, tensor<90x6xf32>
    }
    %177 = stablehlo.add %135#1, %158#1 : tensor<90x6xf32>
    %178 = stablehlo.constant dense<0> : tensor<i32>
    %179 = stablehlo.constant dense<1> : tensor<i32>
    %180 = stablehlo.constant dense<10> : tensor<i32>
    %181 = stablehlo.constant dense<0.0> : tensor<3x6x10xf32>
    %182:2 = stablehlo.while(%183 = %178, %184 = %181) : tensor<i32>, tensor<3x6x10xf32>
    cond {
      %185 = stablehlo.compare LT, %183, %180, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %185 : tensor<i1>
    } do {
    %186 = stablehlo.constant dense<9> : tensor<i32>
    %187 = stablehlo.multiply %183, %186 : tensor<i32>
    %188 = stablehlo.constant dense<0> : tensor<i32>
    %189 = stablehlo.dynamic_slice %arg8, %187, %188, sizes = [9, 6] : (tensor<90x6xf32>, tensor<i32>, tensor<i32>) -> tensor<9x6xf32>
    %190 = stablehlo.constant dense<0> : tensor<i32>
    %191 = stablehlo.dynamic_slice %69, %187, %190, sizes = [9, 10] : (tensor<90x10xf32>, tensor<i32>, tensor<i32>) -> tensor<9x10xf32>
    %192 = stablehlo.dot_general %189, %191, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<9x6xf32>, tensor<9x10xf32>) -> tensor<6x10xf32>
    %193 = stablehlo.reshape %192 : (tensor<6x10xf32>) -> tensor<1x6x10xf32>
    %194 = stablehlo.dynamic_slice %arg6, %183, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %195 = stablehlo.reshape %194 : (tensor<1xi32>) -> tensor<i32>
    %196 = stablehlo.constant dense<2> : tensor<i32>
    %197 = stablehlo.minimum %195, %196 : tensor<i32>
    %198 = stablehlo.constant dense<0> : tensor<i32>
    %199 = stablehlo.dynamic_slice %184, %197, %198, %198, sizes = [1, 6, 10] : (tensor<3x6x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x6x10xf32>
    %200 = stablehlo.add %199, %193 : tensor<1x6x10xf32>
    %201 = stablehlo.constant dense<0> : tensor<i32>
    %202 = stablehlo.dynamic_update_slice %184, %200, %197, %201, %201 : (tensor<3x6x10xf32>, tensor<1x6x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x6x10xf32>
    %203 = stablehlo.add %183, %179 : tensor<i32>
    stablehlo.return %203, %202 : tensor<i32>, tensor<3x6x10xf32>
    }
    %204 = stablehlo.constant dense<0> : tensor<i32>
    %205 = stablehlo.constant dense<1> : tensor<i32>
    %206 = stablehlo.constant dense<10> : tensor<i32>
    %207 = stablehlo.constant dense<0.0> : tensor<3x10x6xf32>
    %208:2 = stablehlo.while(%209 = %204, %210 = %207) : tensor<i32>, tensor<3x10x6xf32>
    cond {
      %211 = stablehlo.compare LT, %209, %206, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %211 : tensor<i1>
    } do {
    %212 = stablehlo.constant dense<9> : tensor<i32>
    %213 = stablehlo.multiply %209, %212 : tensor<i32>
    %214 = stablehlo.constant dense<0> : tensor<i32>
    %215 = stablehlo.dynamic_slice %125, %213, %214, sizes = [9, 10] : (tensor<90x10xf32>, tensor<i32>, tensor<i32>) -> tensor<9x10xf32>
    %216 = stablehlo.constant dense<0> : tensor<i32>
    %217 = stablehlo.dynamic_slice %18, %213, %216, sizes = [9, 6] : (tensor<90x6xf32>, tensor<i32>, tensor<i32>) -> tensor<9x6xf32>
    %218 = stablehlo.dot_general %215, %217, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<9x10xf32>, tensor<9x6xf32>) -> tensor<10x6xf32>
    %219 = stablehlo.reshape %218 : (tensor<10x6xf32>) -> tensor<1x10x6xf32>
    %220 = stablehlo.dynamic_slice %arg6, %209, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %221 = stablehlo.reshape %220 : (tensor<1xi32>) -> tensor<i32>
    %222 = stablehlo.constant dense<2> : tensor<i32>
    %223 = stablehlo.minimum %221, %222 : tensor<i32>
    %224 = stablehlo.constant dense<0> : tensor<i32>
    %225 = stablehlo.dynamic_slice %210, %223, %224, %224, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %226 = stablehlo.add %225, %219 : tensor<1x10x6xf32>
    %227 = stablehlo.constant dense<0> : tensor<i32>
    %228 = stablehlo.dynamic_update_slice %210, %226, %223, %227, %227 : (tensor<3x10x6xf32>, tensor<1x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x10x6xf32>
    %229 = stablehlo.add %209, %205 : tensor<i32>
    stablehlo.return %229, %228 : tensor<i32>, tensor<3x10x6xf32>
    }
    %230 = stablehlo.constant dense<0> : tensor<i32>
    %231 = stablehlo.constant dense<1> : tensor<i32>
    %232 = stablehlo.constant dense<10> : tensor<i32>
    %233 = stablehlo.constant dense<0.0> : tensor<3x10x6xf32>
    %234:2 = stablehlo.while(%235 = %230, %236 = %233) : tensor<i32>, tensor<3x10x6xf32>
    cond {
      %237 = stablehlo.compare LT, %235, %232, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %237 : tensor<i1>
    } do {
    %238 = stablehlo.constant dense<9> : tensor<i32>
    %239 = stablehlo.multiply %235, %238 : tensor<i32>
    %240 = stablehlo.constant dense<0> : tensor<i32>
    %241 = stablehlo.dynamic_slice %127, %239, %240, sizes = [9, 10] : (tensor<90x10xf32>, tensor<i32>, tensor<i32>) -> tensor<9x10xf32>
    %242 = stablehlo.constant dense<0> : tensor<i32>
    %243 = stablehlo.dynamic_slice %18, %239, %242, sizes = [9, 6] : (tensor<90x6xf32>, tensor<i32>, tensor<i32>) -> tensor<9x6xf32>
    %244 = stablehlo.dot_general %241, %243, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<9x10xf32>, tensor<9x6xf32>) -> tensor<10x6xf32>
    %245 = stablehlo.reshape %244 : (tensor<10x6xf32>) -> tensor<1x10x6xf32>
    %246 = stablehlo.dynamic_slice %arg6, %235, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %247 = stablehlo.reshape %246 : (tensor<1xi32>) -> tensor<i32>
    %248 = stablehlo.constant dense<2> : tensor<i32>
    %249 = stablehlo.minimum %247, %248 : tensor<i32>
    %250 = stablehlo.constant dense<0> : tensor<i32>
    %251 = stablehlo.dynamic_slice %236, %249, %250, %250, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %252 = stablehlo.add %251, %245 : tensor<1x10x6xf32>
    %253 = stablehlo.constant dense<0> : tensor<i32>
    %254 = stablehlo.dynamic_update_slice %236, %252, %249, %253, %253 : (tensor<3x10x6xf32>, tensor<1x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x10x6xf32>
    %255 = stablehlo.add %235, %231 : tensor<i32>
    stablehlo.return %255, %254 : tensor<i32>, tensor<3x10x6xf32>
    }
    %256 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<i32>) -> tensor<40x2xi32>
    %257 = stablehlo.maximum %arg2, %256 : tensor<40x2xi32>
    %258 = stablehlo.compare GE, %arg2, %256, SIGNED : (tensor<40x2xi32>, tensor<40x2xi32>) -> tensor<40x2xi1>
    %259 = "stablehlo.gather"(%177, %257) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 6>}> : (tensor<90x6xf32>, tensor<40x2xi32>) -> tensor<40x2x6xf32>
    %260 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<40x2x6xf32>
    %261 = stablehlo.broadcast_in_dim %258, dims = [0, 1] : (tensor<40x2xi1>) -> tensor<40x2x6xi1>
    %262 = stablehlo.select %261, %259, %260 : tensor<40x2x6xi1>, tensor<40x2x6xf32>
    %263 = stablehlo.constant dense<0.0> : tensor<f32>
    %264 = stablehlo.reduce(%262 init: %263) applies stablehlo.add across dimensions = [1] : (tensor<40x2x6xf32>, tensor<f32>) -> tensor<40x6xf32>
    return %74#1, %264, %208#1, %234#1, %182#1, %130 : tensor<90x6xf32>, tensor<40x6xf32>, tensor<3x10x6xf32>, tensor<3x10x6xf32>, tensor<3x6x10xf32>, tensor<90xf32>
  }
}

module @expert_rows_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<40x6xbf16>, %arg1: tensor<90x1xi32>, %arg2: tensor<40x2xi32>, %arg3: tensor<3x10x6xbf16>, %arg4: tensor<3x10x6xbf16>, %arg5: tensor<3x6x10xbf16>, %arg6: tensor<10xi32>, %arg7: tensor<90xf32>, %arg8: tensor<90x6xbf16>) -> (tensor<90x6xbf16>, tensor<40x6xbf16>, tensor<3x10x6xbf16>, tensor<3x10x6xbf16>, tensor<3x6x10xbf16>, tensor<90xf32>) {
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
    %14 = "stablehlo.gather"(%arg0, %12) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 6>}> : (tensor<40x6xbf16>, tensor<90xi32>) -> tensor<90x6xbf16>
    %15 = stablehlo.constant dense<0.0> : tensor<bf16>
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<bf16>) -> tensor<90x6xbf16>
    %17 = stablehlo.broadcast_in_dim %13, dims = [0] : (tensor<90xi1>) -> tensor<90x6xi1>
    %18 = stablehlo.select %17, %14, %16 : tensor<90x6xi1>, tensor<90x6xbf16>
    %19 = stablehlo.constant dense<0> : tensor<i32>
    %20 = stablehlo.constant dense<1> : tensor<i32>
    %21 = stablehlo.constant dense<10> : tensor<i32>
    %22 = stablehlo.constant dense<0.0> : tensor<90x10xbf16>
    %23:2 = stablehlo.while(%24 = %19, %25 = %22) : tensor<i32>, tensor<90x10xbf16>
    cond {
      %26 = stablehlo.compare LT, %24, %21, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %26 : tensor<i1>
    } do {
    %27 = stablehlo.constant dense<9> : tensor<i32>
    %28 = stablehlo.multiply %24, %27 : tensor<i32>
    %29 = stablehlo.constant dense<0> : tensor<i32>
    %30 = stablehlo.dynamic_slice %18, %28, %29, sizes = [9, 6] : (tensor<90x6xbf16>, tensor<i32>, tensor<i32>) -> tensor<9x6xbf16>
    %31 = stablehlo.dynamic_slice %arg6, %24, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %32 = stablehlo.reshape %31 : (tensor<1xi32>) -> tensor<i32>
    %33 = stablehlo.constant dense<2> : tensor<i32>
    %34 = stablehlo.minimum %32, %33 : tensor<i32>
    %35 = stablehlo.constant dense<0> : tensor<i32>
    %36 = stablehlo.dynamic_slice %arg3, %34, %35, %35, sizes = [1, 10, 6] : (tensor<3x10x6xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xbf16>
    %37 = stablehlo.reshape %36 : (tensor<1x10x6xbf16>) -> tensor<10x6xbf16>
    %38 = stablehlo.dot_general %30, %37, contracting_dims = [1] x [1] : (tensor<9x6xbf16>, tensor<10x6xbf16>) -> tensor<9x10xbf16>
    %39 = stablehlo.constant dense<0> : tensor<i32>
    %40 = stablehlo.dynamic_update_slice %25, %38, %28, %39 : (tensor<90x10xbf16>, tensor<9x10xbf16>, tensor<i32>, tensor<i32>) -> tensor<90x10xbf16>
    %41 = stablehlo.add %24, %20 : tensor<i32>
    stablehlo.return %41, %40 : tensor<i32>, tensor<90x10xbf16>
    }
    %42 = stablehlo.constant dense<0> : tensor<i32>
    %43 = stablehlo.constant dense<1> : tensor<i32>
    %44 = stablehlo.constant dense<10> : tensor<i32>
    %45 = stablehlo.constant dense<0.0> : tensor<90x10xbf16>
    %46:2 = stablehlo.while(%47 = %42, %48 = %45) : tensor<i32>, tensor<90x10xbf16>
    cond {
      %49 = stablehlo.compare LT, %47, %44, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %49 : tensor<i1>
    } do {
    %50 = stablehlo.constant dense<9> : tensor<i32>
    %51 = stablehlo.multiply %47, %50 : tensor<i32>
    %52 = stablehlo.constant dense<0> : tensor<i32>
    %53 = stablehlo.dynamic_slice %18, %51, %52, sizes = [9, 6] : (tensor<90x6xbf16>, tensor<i32>, tensor<i32>) -> tensor<9x6xbf16>
    %54 = stablehlo.dynamic_slice %arg6, %47, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %55 = stablehlo.reshape %54 : (tensor<1xi32>) -> tensor<i32>
    %56 = stablehlo.constant dense<2> : tensor<i32>
    %57 = stablehlo.minimum %55, %56 : tensor<i32>
    %58 = stablehlo.constant dense<0> : tensor<i32>
    %59 = stablehlo.dynamic_slice %arg4, %57, %58, %58, sizes = [1, 10, 6] : (tensor<3x10x6xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xbf16>
    %60 = stablehlo.reshape %59 : (tensor<1x10x6xbf16>) -> tensor<10x6xbf16>
    %61 = stablehlo.dot_general %53, %60, contracting_dims = [1] x [1] : (tensor<9x6xbf16>, tensor<10x6xbf16>) -> tensor<9x10xbf16>
    %62 = stablehlo.constant dense<0> : tensor<i32>
    %63 = stablehlo.dynamic_update_slice %48, %61, %51, %62 : (tensor<90x10xbf16>, tensor<9x10xbf16>, tensor<i32>, tensor<i32>) -> tensor<90x10xbf16>
    %64 = stablehlo.add %47, %43 : tensor<i32>
    stablehlo.return %64, %63 : tensor<i32>, tensor<90x10xbf16>
    }
    %65 = stablehlo.convert %23#1 : (tensor<90x10xbf16>) -> tensor<90x10xf32>
    %66 = stablehlo.convert %46#1 : (tensor<90x10xbf16>) -> tensor<90x10xf32>
    %67 = stablehlo.logistic %65 : tensor<90x10xf32>
    %68 = stablehlo.multiply %65, %67 : tensor<90x10xf32>
    %69 = stablehlo.multiply %68, %66 : tensor<90x10xf32>
    %70 = stablehlo.broadcast_in_dim %arg7, dims = [0] : (tensor<90xf32>) -> tensor<90x10xf32>
    %71 = stablehlo.multiply %69, %70 : tensor<90x10xf32>
    %72 = stablehlo.convert %71 : (tensor<90x10xf32>) -> tensor<90x10xbf16>
    %73 = stablehlo.constant dense<0> : tensor<i32>
    %74 = stablehlo.constant dense<1> : tensor<i32>
    %75 = stablehlo.constant dense<10> : tensor<i32>
    %76 = stablehlo.constant dense<0.0> : tensor<90x6xbf16>
    %77:2 = stablehlo.while(%78 = %73, %79 = %76) : tensor<i32>, tensor<90x6xbf16>
    cond {
      %80 = stablehlo.compare LT, %78, %75, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %80 : tensor<i1>
    } do {
    %81 = stablehlo.constant dense<9> : tensor<i32>
    %82 = stablehlo.multiply %78, %81 : tensor<i32>
    %83 = stablehlo.constant dense<0> : tensor<i32>
    %84 = stablehlo.dynamic_slice %72, %82, %83, sizes = [9, 10] : (tensor<90x10xbf16>, tensor<i32>, tensor<i32>) -> tensor<9x10xbf16>
    %85 = stablehlo.dynamic_slice %arg6, %78, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %86 = stablehlo.reshape %85 : (tensor<1xi32>) -> tensor<i32>
    %87 = stablehlo.constant dense<2> : tensor<i32>
    %88 = stablehlo.minimum %86, %87 : tensor<i32>
    %89 = stablehlo.constant dense<0> : tensor<i32>
    %90 = stablehlo.dynamic_slice %arg5, %88, %89, %89, sizes = [1, 6, 10] : (tensor<3x6x10xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x6x10xbf16>
    %91 = stablehlo.reshape %90 : (tensor<1x6x10xbf16>) -> tensor<6x10xbf16>
    %92 = stablehlo.dot_general %84, %91, contracting_dims = [1] x [1] : (tensor<9x10xbf16>, tensor<6x10xbf16>) -> tensor<9x6xbf16>
    %93 = stablehlo.constant dense<0> : tensor<i32>
    %94 = stablehlo.dynamic_update_slice %79, %92, %82, %93 : (tensor<90x6xbf16>, tensor<9x6xbf16>, tensor<i32>, tensor<i32>) -> tensor<90x6xbf16>
    %95 = stablehlo.add %78, %74 : tensor<i32>
    stablehlo.return %95, %94 : tensor<i32>, tensor<90x6xbf16>
    }
    %96 = stablehlo.constant dense<0> : tensor<i32>
    %97 = stablehlo.constant dense<1> : tensor<i32>
    %98 = stablehlo.constant dense<10> : tensor<i32>
    %99 = stablehlo.constant dense<0.0> : tensor<90x10xbf16>
    %100:2 = stablehlo.while(%101 = %96, %102 = %99) : tensor<i32>, tensor<90x10xbf16>
    cond {
      %103 = stablehlo.compare LT, %101, %98, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %103 : tensor<i1>
    } do {
    %104 = stablehlo.constant dense<9> : tensor<i32>
    %105 = stablehlo.multiply %101, %104 : tensor<i32>
    %106 = stablehlo.constant dense<0> : tensor<i32>
    %107 = stablehlo.dynamic_slice %arg8, %105, %106, sizes = [9, 6] : (tensor<90x6xbf16>, tensor<i32>, tensor<i32>) -> tensor<9x6xbf16>
    %108 = stablehlo.dynamic_slice %arg6, %101, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %109 = stablehlo.reshape %108 : (tensor<1xi32>) -> tensor<i32>
    %110 = stablehlo.constant dense<2> : tensor<i32>
    %111 = stablehlo.minimum %109, %110 : tensor<i32>
    %112 = stablehlo.constant dense<0> : tensor<i32>
    %113 = stablehlo.dynamic_slice %arg5, %111, %112, %112, sizes = [1, 6, 10] : (tensor<3x6x10xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x6x10xbf16>
    %114 = stablehlo.reshape %113 : (tensor<1x6x10xbf16>) -> tensor<6x10xbf16>
    %115 = stablehlo.dot_general %107, %114, contracting_dims = [1] x [0] : (tensor<9x6xbf16>, tensor<6x10xbf16>) -> tensor<9x10xbf16>
    %116 = stablehlo.constant dense<0> : tensor<i32>
    %117 = stablehlo.dynamic_update_slice %102, %115, %105, %116 : (tensor<90x10xbf16>, tensor<9x10xbf16>, tensor<i32>, tensor<i32>) -> tensor<90x10xbf16>
    %118 = stablehlo.add %101, %97 : tensor<i32>
    stablehlo.return %118, %117 : tensor<i32>, tensor<90x10xbf16>
    }
    %119 = stablehlo.convert %100#1 : (tensor<90x10xbf16>) -> tensor<90x10xf32>
    %120 = stablehlo.multiply %119, %70 : tensor<90x10xf32>
    %121 = stablehlo.multiply %120, %66 : tensor<90x10xf32>
    %122 = stablehlo.multiply %121, %67 : tensor<90x10xf32>
    %123 = stablehlo.negate %67 : tensor<90x10xf32>
    %124 = stablehlo.constant dense<1.0> : tensor<f32>
    %125 = stablehlo.broadcast_in_dim %124, dims = [] : (tensor<f32>) -> tensor<90x10xf32>
    %126 = stablehlo.add %123, %125 : tensor<90x10xf32>
    %127 = stablehlo.multiply %65, %126 : tensor<90x10xf32>
    %128 = stablehlo.add %127, %125 : tensor<90x10xf32>
    %129 = stablehlo.multiply %122, %128 : tensor<90x10xf32>
    %130 = stablehlo.multiply %120, %65 : tensor<90x10xf32>
    %131 = stablehlo.multiply %130, %67 : tensor<90x10xf32>
    %132 = stablehlo.convert %129 : (tensor<90x10xf32>) -> tensor<90x10xbf16>
    %133 = stablehlo.convert %131 : (tensor<90x10xf32>) -> tensor<90x10xbf16>
    %134 = stablehlo.multiply %119, %69 : tensor<90x10xf32>
    %135 = stablehlo.constant dense<0.0> : tensor<f32>
    %136 = stablehlo.reduce(%134 init: %135) applies stablehlo.add across dimensions = [1] : (tensor<90x10xf32>, tensor<f32>) -> tensor<90xf32>
    %137 = stablehlo.constant dense<0> : tensor<i32>
    %138 = stablehlo.constant dense<1> : tensor<i32>
    %139 = stablehlo.constant dense<10> : tensor<i32>
    %140 = stablehlo.constant dense<0.0> : tensor<90x6xf32>
    %141:2 = stablehlo.while(%142 = %137, %143 = %140) : tensor<i32>, tensor<90x6xf32>
    cond {
      %144 = stablehlo.compare LT, %142, %139, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %144 : tensor<i1>
    } do {
    %145 = stablehlo.constant dense<9> : tensor<i32>
    %146 = stablehlo.multiply %142, %145 : tensor<i32>
    %147 = stablehlo.constant dense<0> : tensor<i32>
    %148 = stablehlo.dynamic_slice %132, %146, %147, sizes = [9, 10] : (tensor<90x10xbf16>, tensor<i32>, tensor<i32>) -> tensor<9x10xbf16>
    %149 = stablehlo.dynamic_slice %arg6, %142, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %150 = stablehlo.reshape %149 : (tensor<1xi32>) -> tensor<i32>
    %151 = stablehlo.constant dense<2> : tensor<i32>
    %152 = stablehlo.minimum %150, %151 : tensor<i32>
    %153 = stablehlo.constant dense<0> : tensor<i32>
    %154 = stablehlo.dynamic_slice %arg3, %152, %153, %153, sizes = [1, 10, 6] : (tensor<3x10x6xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xbf16>
    %155 = stablehlo.reshape %154 : (tensor<1x10x6xbf16>) -> tensor<10x6xbf16>
    %156 = stablehlo.dot_general %148, %155, contracting_dims = [1] x [0] : (tensor<9x10xbf16>, tensor<10x6xbf16>) -> tensor<9x6xf32>
    %157 = stablehlo.constant dense<0> : tensor<i32>
    %158 = stablehlo.dynamic_update_slice %143, %156, %146, %157 : (tensor<90x6xf32>, tensor<9x6xf32>, tensor<i32>, tensor<i32>) -> tensor<90x6xf32>
    %159 = stablehlo.add %142, %138 : tensor<i32>
    stablehlo.return %159, %158 : tensor<i32>, tensor<90x6xf32>
    }
    %160 = stablehlo.constant dense<0> : tensor<i32>
    %161 = stablehlo.constant dense<1> : tensor<i32>
    %162 = stablehlo.constant dense<10> : tensor<i32>
    %163 = stablehlo.constant dense<0.0> : tensor<90x6xf32>
    %164:2 = stablehlo.while(%165 = %160, %166 = %163) : tensor<i32>, tensor<90x6xf32>
    cond {
      %167 = stablehlo.compare LT, %165, %162, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %167 : tensor<i1>
    } do {
    %168 = stablehlo.constant dense<9> : tensor<i32>
    %169 = stablehlo.multiply %165, %168 : tensor<i32>
    %170 = stablehlo.constant dense<0> : tensor<i32>
    %171 = stablehlo.dynamic_slice %133, %169, %170, sizes = [9, 10] : (tensor<90x10xbf16>, tensor<i32>, tensor<i32>) -> tensor<9x10xbf16>
    %172 = stablehlo.dynamic_slice %arg6, %165, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %173 = stablehlo.reshape %172 : (tensor<1xi32>) -> tensor<i32>
    %174 = stablehlo.constant dense<2> : tensor<i32>
    %175 = stablehlo.minimum %173, %174 : tensor<i32>
    %176 = stablehlo.constant dense<0> : tensor<i32>
    %177 = stablehlo.dynamic_slice %arg4, %175, %176, %176, sizes = [1, 10, 6] : (tensor<3x10x6xbf16>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xbf16>
    %178 = stablehlo.reshape %177 : (tensor<1x10x6xbf16>) -> tensor<10x6xbf16>
    %179 = stablehlo.dot_general %171, %178, contracting_dims = [1] x [0] : (tensor<9x10xbf16>, tensor<10x6xbf16>) -> tensor<9x6xf32>
    %180 = stablehlo.constant dense<0> : tensor<i32>
    %181 = stablehlo.dynamic_update_slice %166, %179, %169, %180 : (tensor<90x6xf32>, tensor<9x6xf32>, tensor<i32>, tensor<i32>) -> tensor<90x6xf32>
    %182 = stablehlo.add %165, %161 : tensor<i32>
    stablehlo.return %182, %181 : tensor<i32>, tensor<90x6xf32>
    }
    %183 = stablehlo.add %141#1, %164#1 : tensor<90x6xf32>
    %184 = stablehlo.convert %183 : (tensor<90x6xf32>) -> tensor<90x6xbf16>
    %185 = stablehlo.constant dense<0> : tensor<i32>
    %186 = stablehlo.constant dense<1> : tensor<i32>
    %187 = stablehlo.constant dense<10> : tensor<i32>
    %188 = stablehlo.constant dense<0.0> : tensor<3x6x10xf32>
    %189:2 = stablehlo.while(%190 = %185, %191 = %188) : tensor<i32>, tensor<3x6x10xf32>
    cond {
      %192 = stablehlo.compare LT, %190, %187, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %192 : tensor<i1>
    } do {
    %193 = stablehlo.constant dense<9> : tensor<i32>
    %194 = stablehlo.multiply %190, %193 : tensor<i32>
    %195 = stablehlo.constant dense<0> : tensor<i32>
    %196 = stablehlo.dynamic_slice %arg8, %194, %195, sizes = [9, 6] : (tensor<90x6xbf16>, tensor<i32>, tensor<i32>) -> tensor<9x6xbf16>
    %197 = stablehlo.constant dense<0> : tensor<i32>
    %198 = stablehlo.dynamic_slice %72, %194, %197, sizes = [9, 10] : (tensor<90x10xbf16>, tensor<i32>, tensor<i32>) -> tensor<9x10xbf16>
    %199 = stablehlo.dot_general %196, %198, contracting_dims = [0] x [0] : (tensor<9x6xbf16>, tensor<9x10xbf16>) -> tensor<6x10xf32>
    %200 = stablehlo.reshape %199 : (tensor<6x10xf32>) -> tensor<1x6x10xf32>
    %201 = stablehlo.dynamic_slice %arg6, %190, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %202 = stablehlo.reshape %201 : (tensor<1xi32>) -> tensor<i32>
    %203 = stablehlo.constant dense<2> : tensor<i32>
    %204 = stablehlo.minimum %202, %203 : tensor<i32>
    %205 = stablehlo.constant dense<0> : tensor<i32>
    %206 = stablehlo.dynamic_slice %191, %204, %205, %205, sizes = [1, 6, 10] : (tensor<3x6x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x6x10xf32>
    %207 = stablehlo.add %206, %200 : tensor<1x6x10xf32>
    %208 = stablehlo.constant dense<0> : tensor<i32>
    %209 = stablehlo.dynamic_update_slice %191, %207, %204, %208, %208 : (tensor<3x6x10xf32>, tensor<1x6x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x6x10xf32>
    %210 = stablehlo.add %190, %186 : tensor<i32>
    stablehlo.return %210, %209 : tensor<i32>, tensor<3x6x10xf32>
    }
    %211 = stablehlo.convert %189#1 : (tensor<3x6x10xf32>) -> tensor<3x6x10xbf16>
    %212 = stablehlo.constant dense<0> : tensor<i32>
    %213 = stablehlo.constant dense<1> : tensor<i32>
    %214 = stablehlo.constant dense<10> : tensor<i32>
    %215 = stablehlo.constant dense<0.0> : tensor<3x10x6xf32>
    %216:2 = stablehlo.while(%217 = %212, %218 = %215) : tensor<i32>, tensor<3x10x6xf32>
    cond {
      %219 = stablehlo.compare LT, %217, %214, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %219 : tensor<i1>
    } do {
    %220 = stablehlo.constant dense<9> : tensor<i32>
    %221 = stablehlo.multiply %217, %220 : tensor<i32>
    %222 = stablehlo.constant dense<0> : tensor<i32>
    %223 = stablehlo.dynamic_slice %132, %221, %222, sizes = [9, 10] : (tensor<90x10xbf16>, tensor<i32>, tensor<i32>) -> tensor<9x10xbf16>
    %224 = stablehlo.constant dense<0> : tensor<i32>
    %225 = stablehlo.dynamic_slice %18, %221, %224, sizes = [9, 6] : (tensor<90x6xbf16>, tensor<i32>, tensor<i32>) -> tensor<9x6xbf16>
    %226 = stablehlo.dot_general %223, %225, contracting_dims = [0] x [0] : (tensor<9x10xbf16>, tensor<9x6xbf16>) -> tensor<10x6xf32>
    %227 = stablehlo.reshape %226 : (tensor<10x6xf32>) -> tensor<1x10x6xf32>
    %228 = stablehlo.dynamic_slice %arg6, %217, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %229 = stablehlo.reshape %228 : (tensor<1xi32>) -> tensor<i32>
    %230 = stablehlo.constant dense<2> : tensor<i32>
    %231 = stablehlo.minimum %229, %230 : tensor<i32>
    %232 = stablehlo.constant dense<0> : tensor<i32>
    %233 = stablehlo.dynamic_slice %218, %231, %232, %232, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %234 = stablehlo.add %233, %227 : tensor<1x10x6xf32>
    %235 = stablehlo.constant dense<0> : tensor<i32>
    %236 = stablehlo.dynamic_update_slice %218, %234, %231, %235, %235 : (tensor<3x10x6xf32>, tensor<1x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x10x6xf32>
    %237 = stablehlo.add %217, %213 : tensor<i32>
    stablehlo.return %237, %236 : tensor<i32>, tensor<3x10x6xf32>
    }
    %238 = stablehlo.convert %216#1 : (tensor<3x10x6xf32>) -> tensor<3x10x6xbf16>
    %239 = stablehlo.constant dense<0> : tensor<i32>
    %240 = stablehlo.constant dense<1> : tensor<i32>
    %241 = stablehlo.constant dense<10> : tensor<i32>
    %242 = stablehlo.constant dense<0.0> : tensor<3x10x6xf32>
    %243:2 = stablehlo.while(%244 = %239, %245 = %242) : tensor<i32>, tensor<3x10x6xf32>
    cond {
      %246 = stablehlo.compare LT, %244, %241, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %246 : tensor<i1>
    } do {
    %247 = stablehlo.constant dense<9> : tensor<i32>
    %248 = stablehlo.multiply %244, %247 : tensor<i32>
    %249 = stablehlo.constant dense<0> : tensor<i32>
    %250 = stablehlo.dynamic_slice %133, %248, %249, sizes = [9, 10] : (tensor<90x10xbf16>, tensor<i32>, tensor<i32>) -> tensor<9x10xbf16>
    %251 = stablehlo.constant dense<0> : tensor<i32>
    %252 = stablehlo.dynamic_slice %18, %248, %251, sizes = [9, 6] : (tensor<90x6xbf16>, tensor<i32>, tensor<i32>) -> tensor<9x6xbf16>
    %253 = stablehlo.dot_general %250, %252, contracting_dims = [0] x [0] : (tensor<9x10xbf16>, tensor<9x6xbf16>) -> tensor<10x6xf32>
    %254 = stablehlo.reshape %253 : (tensor<10x6xf32>) -> tensor<1x10x6xf32>
    %255 = stablehlo.dynamic_slice %arg6, %244, sizes = [1] : (tensor<10xi32>, tensor<i32>) -> tensor<1xi32>
    %256 = stablehlo.reshape %255 : (tensor<1xi32>) -> tensor<i32>
    %257 = stablehlo.constant dense<2> : tensor<i32>
    %258 = stablehlo.minimum %256, %257 : tensor<i32>
    %259 = stablehlo.constant dense<0> : tensor<i32>
    %260 = stablehlo.dynamic_slice %245, %258, %259, %259, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %261 = stablehlo.add %260, %254 : tensor<1x10x6xf32>
    %262 = stablehlo.constant dense<0> : tensor<i32>
    %263 = stablehlo.dynamic_update_slice %245, %261, %258, %262, %262 : (tensor<3x10x6xf32>, tensor<1x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x10x6xf32>
    %264 = stablehlo.add %244, %240 : tensor<i32>
    stablehlo.return %264, %263 : tensor<i32>, tensor<3x10x6xf32>
    }
    %265 = stablehlo.convert %243#1 : (tensor<3x10x6xf32>) -> tensor<3x10x6xbf16>
    %266 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<i32>) -> tensor<40x2xi32>
    %267 = stablehlo.maximum %arg2, %266 : tensor<40x2xi32>
    %268 = stablehlo.compare GE, %arg2, %266, SIGNED : (tensor<40x2xi32>, tensor<40x2xi32>) -> tensor<40x2xi1>
    %269 = "stablehlo.gather"(%184, %267) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 6>}> : (tensor<90x6xbf16>, tensor<40x2xi32>) -> tensor<40x2x6xbf16>
    %270 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<bf16>) -> tensor<40x2x6xbf16>
    %271 = stablehlo.broadcast_in_dim %268, dims = [0, 1] : (tensor<40x2xi1>) -> tensor<40x2x6xi1>
    %272 = stablehlo.select %271, %269, %270 : tensor<40x2x6xi1>, tensor<40x2x6xbf16>
    %273 = stablehlo.convert %272 : (tensor<40x2x6xbf16>) -> tensor<40x2x6xf32>
    %274 = stablehlo.constant dense<0.0> : tensor<f32>
    %275 = stablehlo.reduce(%273 init: %274) applies stablehlo.add across dimensions = [1] : (tensor<40x2x6xf32>, tensor<f32>) -> tensor<40x6xf32>
    %276 = stablehlo.convert %275 : (tensor<40x6xf32>) -> tensor<40x6xbf16>
    return %77#1, %276, %238, %265, %211, %136 : tensor<90x6xbf16>, tensor<40x6xbf16>, tensor<3x10x6xbf16>, tensor<3x10x6xbf16>, tensor<3x6x10xbf16>, tensor<90xf32>
  }
}

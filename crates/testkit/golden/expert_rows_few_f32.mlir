module @expert_rows_few_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<40x6xf32>, %arg1: tensor<45x1xi32>, %arg2: tensor<40x2xi32>, %arg3: tensor<3x10x6xf32>, %arg4: tensor<3x10x6xf32>, %arg5: tensor<3x6x10xf32>, %arg6: tensor<5xi32>, %arg7: tensor<45x6xf32>) -> (tensor<45x6xf32>, tensor<40x6xf32>, tensor<3x10x6xf32>, tensor<3x10x6xf32>, tensor<3x6x10xf32>) {
    %0 = stablehlo.reshape %arg1 : (tensor<45x1xi32>) -> tensor<45xi32>
    %1 = stablehlo.constant dense<0> : tensor<i32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<i32>) -> tensor<45xi32>
    %3 = stablehlo.maximum %0, %2 : tensor<45xi32>
    %4 = stablehlo.convert %3 : (tensor<45xi32>) -> tensor<45xf32>
    %5 = stablehlo.constant dense<0.5> : tensor<f32>
    %6 = stablehlo.broadcast_in_dim %5, dims = [] : (tensor<f32>) -> tensor<45xf32>
    %7 = stablehlo.add %4, %6 : tensor<45xf32>
    %8 = stablehlo.constant dense<2.0> : tensor<f32>
    %9 = stablehlo.broadcast_in_dim %8, dims = [] : (tensor<f32>) -> tensor<45xf32>
    %10 = stablehlo.divide %7, %9 : tensor<45xf32>
    %11 = stablehlo.floor %10 : tensor<45xf32>
    %12 = stablehlo.convert %11 : (tensor<45xf32>) -> tensor<45xi32>
    %13 = stablehlo.compare GE, %0, %2, SIGNED : (tensor<45xi32>, tensor<45xi32>) -> tensor<45xi1>
    %14 = "stablehlo.gather"(%arg0, %12) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 6>}> : (tensor<40x6xf32>, tensor<45xi32>) -> tensor<45x6xf32>
    %15 = stablehlo.constant dense<0.0> : tensor<f32>
    %16 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<45x6xf32>
    %17 = stablehlo.broadcast_in_dim %13, dims = [0] : (tensor<45xi1>) -> tensor<45x6xi1>
    %18 = stablehlo.select %17, %14, %16 : tensor<45x6xi1>, tensor<45x6xf32>
    %19 = stablehlo.constant dense<0> : tensor<i32>
    %20 = stablehlo.constant dense<1> : tensor<i32>
    %21 = stablehlo.constant dense<5> : tensor<i32>
    %22 = stablehlo.constant dense<0.0> : tensor<45x10xf32>
    %23:2 = stablehlo.while(%24 = %19, %25 = %22) : tensor<i32>, tensor<45x10xf32>
    cond {
      %26 = stablehlo.compare LT, %24, %21, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %26 : tensor<i1>
    } do {
    %27 = stablehlo.constant dense<9> : tensor<i32>
    %28 = stablehlo.multiply %24, %27 : tensor<i32>
    %29 = stablehlo.constant dense<0> : tensor<i32>
    %30 = stablehlo.dynamic_slice %18, %28, %29, sizes = [9, 6] : (tensor<45x6xf32>, tensor<i32>, tensor<i32>) -> tensor<9x6xf32>
    %31 = stablehlo.dynamic_slice %arg6, %24, sizes = [1] : (tensor<5xi32>, tensor<i32>) -> tensor<1xi32>
    %32 = stablehlo.reshape %31 : (tensor<1xi32>) -> tensor<i32>
    %33 = stablehlo.constant dense<2> : tensor<i32>
    %34 = stablehlo.minimum %32, %33 : tensor<i32>
    %35 = stablehlo.constant dense<0> : tensor<i32>
    %36 = stablehlo.dynamic_slice %arg3, %34, %35, %35, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %37 = stablehlo.reshape %36 : (tensor<1x10x6xf32>) -> tensor<10x6xf32>
    %38 = stablehlo.dot_general %30, %37, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<9x6xf32>, tensor<10x6xf32>) -> tensor<9x10xf32>
    %39 = stablehlo.constant dense<0> : tensor<i32>
    %40 = stablehlo.dynamic_update_slice %25, %38, %28, %39 : (tensor<45x10xf32>, tensor<9x10xf32>, tensor<i32>, tensor<i32>) -> tensor<45x10xf32>
    %41 = stablehlo.add %24, %20 : tensor<i32>
    stablehlo.return %41, %40 : tensor<i32>, tensor<45x10xf32>
    }
    %42 = stablehlo.constant dense<0> : tensor<i32>
    %43 = stablehlo.constant dense<1> : tensor<i32>
    %44 = stablehlo.constant dense<5> : tensor<i32>
    %45 = stablehlo.constant dense<0.0> : tensor<45x10xf32>
    %46:2 = stablehlo.while(%47 = %42, %48 = %45) : tensor<i32>, tensor<45x10xf32>
    cond {
      %49 = stablehlo.compare LT, %47, %44, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %49 : tensor<i1>
    } do {
    %50 = stablehlo.constant dense<9> : tensor<i32>
    %51 = stablehlo.multiply %47, %50 : tensor<i32>
    %52 = stablehlo.constant dense<0> : tensor<i32>
    %53 = stablehlo.dynamic_slice %18, %51, %52, sizes = [9, 6] : (tensor<45x6xf32>, tensor<i32>, tensor<i32>) -> tensor<9x6xf32>
    %54 = stablehlo.dynamic_slice %arg6, %47, sizes = [1] : (tensor<5xi32>, tensor<i32>) -> tensor<1xi32>
    %55 = stablehlo.reshape %54 : (tensor<1xi32>) -> tensor<i32>
    %56 = stablehlo.constant dense<2> : tensor<i32>
    %57 = stablehlo.minimum %55, %56 : tensor<i32>
    %58 = stablehlo.constant dense<0> : tensor<i32>
    %59 = stablehlo.dynamic_slice %arg4, %57, %58, %58, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %60 = stablehlo.reshape %59 : (tensor<1x10x6xf32>) -> tensor<10x6xf32>
    %61 = stablehlo.dot_general %53, %60, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<9x6xf32>, tensor<10x6xf32>) -> tensor<9x10xf32>
    %62 = stablehlo.constant dense<0> : tensor<i32>
    %63 = stablehlo.dynamic_update_slice %48, %61, %51, %62 : (tensor<45x10xf32>, tensor<9x10xf32>, tensor<i32>, tensor<i32>) -> tensor<45x10xf32>
    %64 = stablehlo.add %47, %43 : tensor<i32>
    stablehlo.return %64, %63 : tensor<i32>, tensor<45x10xf32>
    }
    %65 = stablehlo.logistic %23#1 : tensor<45x10xf32>
    %66 = stablehlo.multiply %23#1, %65 : tensor<45x10xf32>
    %67 = stablehlo.multiply %66, %46#1 : tensor<45x10xf32>
    %68 = stablehlo.constant dense<0> : tensor<i32>
    %69 = stablehlo.constant dense<1> : tensor<i32>
    %70 = stablehlo.constant dense<5> : tensor<i32>
    %71 = stablehlo.constant dense<0.0> : tensor<45x6xf32>
    %72:2 = stablehlo.while(%73 = %68, %74 = %71) : tensor<i32>, tensor<45x6xf32>
    cond {
      %75 = stablehlo.compare LT, %73, %70, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %75 : tensor<i1>
    } do {
    %76 = stablehlo.constant dense<9> : tensor<i32>
    %77 = stablehlo.multiply %73, %76 : tensor<i32>
    %78 = stablehlo.constant dense<0> : tensor<i32>
    %79 = stablehlo.dynamic_slice %67, %77, %78, sizes = [9, 10] : (tensor<45x10xf32>, tensor<i32>, tensor<i32>) -> tensor<9x10xf32>
    %80 = stablehlo.dynamic_slice %arg6, %73, sizes = [1] : (tensor<5xi32>, tensor<i32>) -> tensor<1xi32>
    %81 = stablehlo.reshape %80 : (tensor<1xi32>) -> tensor<i32>
    %82 = stablehlo.constant dense<2> : tensor<i32>
    %83 = stablehlo.minimum %81, %82 : tensor<i32>
    %84 = stablehlo.constant dense<0> : tensor<i32>
    %85 = stablehlo.dynamic_slice %arg5, %83, %84, %84, sizes = [1, 6, 10] : (tensor<3x6x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x6x10xf32>
    %86 = stablehlo.reshape %85 : (tensor<1x6x10xf32>) -> tensor<6x10xf32>
    %87 = stablehlo.dot_general %79, %86, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<9x10xf32>, tensor<6x10xf32>) -> tensor<9x6xf32>
    %88 = stablehlo.constant dense<0> : tensor<i32>
    %89 = stablehlo.dynamic_update_slice %74, %87, %77, %88 : (tensor<45x6xf32>, tensor<9x6xf32>, tensor<i32>, tensor<i32>) -> tensor<45x6xf32>
    %90 = stablehlo.add %73, %69 : tensor<i32>
    stablehlo.return %90, %89 : tensor<i32>, tensor<45x6xf32>
    }
    %91 = stablehlo.constant dense<0> : tensor<i32>
    %92 = stablehlo.constant dense<1> : tensor<i32>
    %93 = stablehlo.constant dense<5> : tensor<i32>
    %94 = stablehlo.constant dense<0.0> : tensor<45x10xf32>
    %95:2 = stablehlo.while(%96 = %91, %97 = %94) : tensor<i32>, tensor<45x10xf32>
    cond {
      %98 = stablehlo.compare LT, %96, %93, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %98 : tensor<i1>
    } do {
    %99 = stablehlo.constant dense<9> : tensor<i32>
    %100 = stablehlo.multiply %96, %99 : tensor<i32>
    %101 = stablehlo.constant dense<0> : tensor<i32>
    %102 = stablehlo.dynamic_slice %arg7, %100, %101, sizes = [9, 6] : (tensor<45x6xf32>, tensor<i32>, tensor<i32>) -> tensor<9x6xf32>
    %103 = stablehlo.dynamic_slice %arg6, %96, sizes = [1] : (tensor<5xi32>, tensor<i32>) -> tensor<1xi32>
    %104 = stablehlo.reshape %103 : (tensor<1xi32>) -> tensor<i32>
    %105 = stablehlo.constant dense<2> : tensor<i32>
    %106 = stablehlo.minimum %104, %105 : tensor<i32>
    %107 = stablehlo.constant dense<0> : tensor<i32>
    %108 = stablehlo.dynamic_slice %arg5, %106, %107, %107, sizes = [1, 6, 10] : (tensor<3x6x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x6x10xf32>
    %109 = stablehlo.reshape %108 : (tensor<1x6x10xf32>) -> tensor<6x10xf32>
    %110 = stablehlo.dot_general %102, %109, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<9x6xf32>, tensor<6x10xf32>) -> tensor<9x10xf32>
    %111 = stablehlo.constant dense<0> : tensor<i32>
    %112 = stablehlo.dynamic_update_slice %97, %110, %100, %111 : (tensor<45x10xf32>, tensor<9x10xf32>, tensor<i32>, tensor<i32>) -> tensor<45x10xf32>
    %113 = stablehlo.add %96, %92 : tensor<i32>
    stablehlo.return %113, %112 : tensor<i32>, tensor<45x10xf32>
    }
    %114 = stablehlo.multiply %95#1, %46#1 : tensor<45x10xf32>
    %115 = stablehlo.multiply %114, %65 : tensor<45x10xf32>
    %116 = stablehlo.negate %65 : tensor<45x10xf32>
    %117 = stablehlo.constant dense<1.0> : tensor<f32>
    %118 = stablehlo.broadcast_in_dim %117, dims = [] : (tensor<f32>) -> tensor<45x10xf32>
    %119 = stablehlo.add %116, %118 : tensor<45x10xf32>
    %120 = stablehlo.multiply %23#1, %119 : tensor<45x10xf32>
    %121 = stablehlo.add %120, %118 : tensor<45x10xf32>
    %122 = stablehlo.multiply %115, %121 : tensor<45x10xf32>
    %123 = stablehlo.multiply %95#1, %23#1 : tensor<45x10xf32>
    %124 = stablehlo.multiply %123, %65 : tensor<45x10xf32>
    %125 = stablehlo.constant dense<0> : tensor<i32>
    %126 = stablehlo.constant dense<1> : tensor<i32>
    %127 = stablehlo.constant dense<5> : tensor<i32>
    %128 = stablehlo.constant dense<0.0> : tensor<45x6xf32>
    %129:2 = stablehlo.while(%130 = %125, %131 = %128) : tensor<i32>, tensor<45x6xf32>
    cond {
      %132 = stablehlo.compare LT, %130, %127, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %132 : tensor<i1>
    } do {
    %133 = stablehlo.constant dense<9> : tensor<i32>
    %134 = stablehlo.multiply %130, %133 : tensor<i32>
    %135 = stablehlo.constant dense<0> : tensor<i32>
    %136 = stablehlo.dynamic_slice %122, %134, %135, sizes = [9, 10] : (tensor<45x10xf32>, tensor<i32>, tensor<i32>) -> tensor<9x10xf32>
    %137 = stablehlo.dynamic_slice %arg6, %130, sizes = [1] : (tensor<5xi32>, tensor<i32>) -> tensor<1xi32>
    %138 = stablehlo.reshape %137 : (tensor<1xi32>) -> tensor<i32>
    %139 = stablehlo.constant dense<2> : tensor<i32>
    %140 = stablehlo.minimum %138, %139 : tensor<i32>
    %141 = stablehlo.constant dense<0> : tensor<i32>
    %142 = stablehlo.dynamic_slice %arg3, %140, %141, %141, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %143 = stablehlo.reshape %142 : (tensor<1x10x6xf32>) -> tensor<10x6xf32>
    %144 = stablehlo.dot_general %136, %143, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<9x10xf32>, tensor<10x6xf32>) -> tensor<9x6xf32>
    %145 = stablehlo.constant dense<0> : tensor<i32>
    %146 = stablehlo.dynamic_update_slice %131, %144, %134, %145 : (tensor<45x6xf32>, tensor<9x6xf32>, tensor<i32>, tensor<i32>) -> tensor<45x6xf32>
    %147 = stablehlo.add %130, %126 : tensor<i32>
    stablehlo.return %147, %146 : tensor<i32>, tensor<45x6xf32>
    }
    %148 = stablehlo.constant dense<0> : tensor<i32>
    %149 = stablehlo.constant dense<1> : tensor<i32>
    %150 = stablehlo.constant dense<5> : tensor<i32>
    %151 = stablehlo.constant dense<0.0> : tensor<45x6xf32>
    %152:2 = stablehlo.while(%153 = %148, %154 = %151) : tensor<i32>, tensor<45x6xf32>
    cond {
      %155 = stablehlo.compare LT, %153, %150, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %155 : tensor<i1>
    } do {
    %156 = stablehlo.constant dense<9> : tensor<i32>
    %157 = stablehlo.multiply %153, %156 : tensor<i32>
    %158 = stablehlo.constant dense<0> : tensor<i32>
    %159 = stablehlo.dynamic_slice %124, %157, %158, sizes = [9, 10] : (tensor<45x10xf32>, tensor<i32>, tensor<i32>) -> tensor<9x10xf32>
    %160 = stablehlo.dynamic_slice %arg6, %153, sizes = [1] : (tensor<5xi32>, tensor<i32>) -> tensor<1xi32>
    %161 = stablehlo.reshape %160 : (tensor<1xi32>) -> tensor<i32>
    %162 = stablehlo.constant dense<2> : tensor<i32>
    %163 = stablehlo.minimum %161, %162 : tensor<i32>
    %164 = stablehlo.constant dense<0> : tensor<i32>
    %165 = stablehlo.dynamic_slice %arg4, %163, %164, %164, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %166 = stablehlo.reshape %165 : (tensor<1x10x6xf32>) -> tensor<10x6xf32>
    %167 = stablehlo.dot_general %159, %166, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<9x10xf32>, tensor<10x6xf32>) -> tensor<9x6xf32>
    %168 = stablehlo.constant dense<0> : tensor<i32>
    %169 = stablehlo.dynamic_update_slice %154, %167, %157, %168 : (tensor<45x6xf32>, tensor<9x6xf32>, tensor<i32>, tensor<i32>) -> tensor<45x6xf32>
    %170 = stablehlo.add %153, %149 : tensor<i32>
    stablehlo.return %170, %169 : tensor<i32>, tensor<45x6xf32>
    }
    %171 = stablehlo.add %129#1, %152#1 : tensor<45x6xf32>
    %172 = stablehlo.constant dense<0> : tensor<i32>
    %173 = stablehlo.constant dense<1> : tensor<i32>
    %174 = stablehlo.constant dense<5> : tensor<i32>
    %175 = stablehlo.constant dense<0.0> : tensor<3x6x10xf32>
    %176:2 = stablehlo.while(%177 = %172, %178 = %175) : tensor<i32>, tensor<3x6x10xf32>
    cond {
      %179 = stablehlo.compare LT, %177, %174, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %179 : tensor<i1>
    } do {
    %180 = stablehlo.constant dense<9> : tensor<i32>
    %181 = stablehlo.multiply %177, %180 : tensor<i32>
    %182 = stablehlo.constant dense<0> : tensor<i32>
    %183 = stablehlo.dynamic_slice %arg7, %181, %182, sizes = [9, 6] : (tensor<45x6xf32>, tensor<i32>, tensor<i32>) -> tensor<9x6xf32>
    %184 = stablehlo.constant dense<0> : tensor<i32>
    %185 = stablehlo.dynamic_slice %67, %181, %184, sizes = [9, 10] : (tensor<45x10xf32>, tensor<i32>, tensor<i32>) -> tensor<9x10xf32>
    %186 = stablehlo.dot_general %183, %185, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<9x6xf32>, tensor<9x10xf32>) -> tensor<6x10xf32>
    %187 = stablehlo.reshape %186 : (tensor<6x10xf32>) -> tensor<1x6x10xf32>
    %188 = stablehlo.dynamic_slice %arg6, %177, sizes = [1] : (tensor<5xi32>, tensor<i32>) -> tensor<1xi32>
    %189 = stablehlo.reshape %188 : (tensor<1xi32>) -> tensor<i32>
    %190 = stablehlo.constant dense<2> : tensor<i32>
    %191 = stablehlo.minimum %189, %190 : tensor<i32>
    %192 = stablehlo.constant dense<0> : tensor<i32>
    %193 = stablehlo.dynamic_slice %178, %191, %192, %192, sizes = [1, 6, 10] : (tensor<3x6x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x6x10xf32>
    %194 = stablehlo.add %193, %187 : tensor<1x6x10xf32>
    %195 = stablehlo.constant dense<0> : tensor<i32>
    %196 = stablehlo.dynamic_update_slice %178, %194, %191, %195, %195 : (tensor<3x6x10xf32>, tensor<1x6x10xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x6x10xf32>
    %197 = stablehlo.add %177, %173 : tensor<i32>
    stablehlo.return %197, %196 : tensor<i32>, tensor<3x6x10xf32>
    }
    %198 = stablehlo.constant dense<0> : tensor<i32>
    %199 = stablehlo.constant dense<1> : tensor<i32>
    %200 = stablehlo.constant dense<5> : tensor<i32>
    %201 = stablehlo.constant dense<0.0> : tensor<3x10x6xf32>
    %202:2 = stablehlo.while(%203 = %198, %204 = %201) : tensor<i32>, tensor<3x10x6xf32>
    cond {
      %205 = stablehlo.compare LT, %203, %200, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %205 : tensor<i1>
    } do {
    %206 = stablehlo.constant dense<9> : tensor<i32>
    %207 = stablehlo.multiply %203, %206 : tensor<i32>
    %208 = stablehlo.constant dense<0> : tensor<i32>
    %209 = stablehlo.dynamic_slice %122, %207, %208, sizes = [9, 10] : (tensor<45x10xf32>, tensor<i32>, tensor<i32>) -> tensor<9x10xf32>
    %210 = stablehlo.constant dense<0> : tensor<i32>
    %211 = stablehlo.dynamic_slice %18, %207, %210, sizes = [9, 6] : (tensor<45x6xf32>, tensor<i32>, tensor<i32>) -> tensor<9x6xf32>
    %212 = stablehlo.dot_general %209, %211, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<9x10xf32>, tensor<9x6xf32>) -> tensor<10x6xf32>
    %213 = stablehlo.reshape %212 : (tensor<10x6xf32>) -> tensor<1x10x6xf32>
    %214 = stablehlo.dynamic_slice %arg6, %203, sizes = [1] : (tensor<5xi32>, tensor<i32>) -> tensor<1xi32>
    %215 = stablehlo.reshape %214 : (tensor<1xi32>) -> tensor<i32>
    %216 = stablehlo.constant dense<2> : tensor<i32>
    %217 = stablehlo.minimum %215, %216 : tensor<i32>
    %218 = stablehlo.constant dense<0> : tensor<i32>
    %219 = stablehlo.dynamic_slice %204, %217, %218, %218, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %220 = stablehlo.add %219, %213 : tensor<1x10x6xf32>
    %221 = stablehlo.constant dense<0> : tensor<i32>
    %222 = stablehlo.dynamic_update_slice %204, %220, %217, %221, %221 : (tensor<3x10x6xf32>, tensor<1x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x10x6xf32>
    %223 = stablehlo.add %203, %199 : tensor<i32>
    stablehlo.return %223, %222 : tensor<i32>, tensor<3x10x6xf32>
    }
    %224 = stablehlo.constant dense<0> : tensor<i32>
    %225 = stablehlo.constant dense<1> : tensor<i32>
    %226 = stablehlo.constant dense<5> : tensor<i32>
    %227 = stablehlo.constant dense<0.0> : tensor<3x10x6xf32>
    %228:2 = stablehlo.while(%229 = %224, %230 = %227) : tensor<i32>, tensor<3x10x6xf32>
    cond {
      %231 = stablehlo.compare LT, %229, %226, SIGNED : (tensor<i32>, tensor<i32>) -> tensor<i1>
      stablehlo.return %231 : tensor<i1>
    } do {
    %232 = stablehlo.constant dense<9> : tensor<i32>
    %233 = stablehlo.multiply %229, %232 : tensor<i32>
    %234 = stablehlo.constant dense<0> : tensor<i32>
    %235 = stablehlo.dynamic_slice %124, %233, %234, sizes = [9, 10] : (tensor<45x10xf32>, tensor<i32>, tensor<i32>) -> tensor<9x10xf32>
    %236 = stablehlo.constant dense<0> : tensor<i32>
    %237 = stablehlo.dynamic_slice %18, %233, %236, sizes = [9, 6] : (tensor<45x6xf32>, tensor<i32>, tensor<i32>) -> tensor<9x6xf32>
    %238 = stablehlo.dot_general %235, %237, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<9x10xf32>, tensor<9x6xf32>) -> tensor<10x6xf32>
    %239 = stablehlo.reshape %238 : (tensor<10x6xf32>) -> tensor<1x10x6xf32>
    %240 = stablehlo.dynamic_slice %arg6, %229, sizes = [1] : (tensor<5xi32>, tensor<i32>) -> tensor<1xi32>
    %241 = stablehlo.reshape %240 : (tensor<1xi32>) -> tensor<i32>
    %242 = stablehlo.constant dense<2> : tensor<i32>
    %243 = stablehlo.minimum %241, %242 : tensor<i32>
    %244 = stablehlo.constant dense<0> : tensor<i32>
    %245 = stablehlo.dynamic_slice %230, %243, %244, %244, sizes = [1, 10, 6] : (tensor<3x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<1x10x6xf32>
    %246 = stablehlo.add %245, %239 : tensor<1x10x6xf32>
    %247 = stablehlo.constant dense<0> : tensor<i32>
    %248 = stablehlo.dynamic_update_slice %230, %246, %243, %247, %247 : (tensor<3x10x6xf32>, tensor<1x10x6xf32>, tensor<i32>, tensor<i32>, tensor<i32>) -> tensor<3x10x6xf32>
    %249 = stablehlo.add %229, %225 : tensor<i32>
    stablehlo.return %249, %248 : tensor<i32>, tensor<3x10x6xf32>
    }
    %250 = stablehlo.broadcast_in_dim %1, dims = [] : (tensor<i32>) -> tensor<40x2xi32>
    %251 = stablehlo.maximum %arg2, %250 : tensor<40x2xi32>
    %252 = stablehlo.compare GE, %arg2, %250, SIGNED : (tensor<40x2xi32>, tensor<40x2xi32>) -> tensor<40x2xi1>
    %253 = "stablehlo.gather"(%171, %251) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 6>}> : (tensor<45x6xf32>, tensor<40x2xi32>) -> tensor<40x2x6xf32>
    %254 = stablehlo.broadcast_in_dim %15, dims = [] : (tensor<f32>) -> tensor<40x2x6xf32>
    %255 = stablehlo.broadcast_in_dim %252, dims = [0, 1] : (tensor<40x2xi1>) -> tensor<40x2x6xi1>
    %256 = stablehlo.select %255, %253, %254 : tensor<40x2x6xi1>, tensor<40x2x6xf32>
    %257 = stablehlo.constant dense<0.0> : tensor<f32>
    %258 = stablehlo.reduce(%256 init: %257) applies stablehlo.add across dimensions = [1] : (tensor<40x2x6xf32>, tensor<f32>) -> tensor<40x6xf32>
    return %72#1, %258, %202#1, %228#1, %176#1 : tensor<45x6xf32>, tensor<40x6xf32>, tensor<3x10x6xf32>, tensor<3x10x6xf32>, tensor<3x6x10xf32>
  }
}
